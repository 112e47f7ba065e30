//! One integration binary: live servers, protocols, surfaces, tidy. Everything in it is a test or helps one.

#![cfg(test)]

mod binaries;
mod cluster;
mod database;
mod snapshot;
mod observe;
mod facts;
mod oracle;
mod docs;
mod reference;
mod workload;
mod tidy;
mod language_client;
mod lsp;
mod mcp;
mod desk;
mod gates;
mod hook;
mod generated;
mod guarded;
mod exits;
mod ci;
mod release;
mod outputs;
mod held;
mod proof;
mod corpus;
mod surfaces;
mod monorepo;
mod deploys;
mod drift;
mod measured;
mod unread;
mod refused;
mod regress;
mod immutable;
mod lexis;
mod preflight;
mod property;
mod compared;
mod verified;
mod versions;
mod watch;
mod rehearse;
mod retyped;
