//! `lockkeeper lsp` as editors meet it: a raw client, a copy of the shop, and everything that may go wrong on the wire.

mod actions;
mod order;
mod session;
mod shown;
mod steps;
mod names;
