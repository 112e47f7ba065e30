//! Clients that go on working while a migration is carried out: what each release does, and what happened to it.

pub(crate) mod clients;
pub(crate) mod control;
pub(crate) mod statements;
