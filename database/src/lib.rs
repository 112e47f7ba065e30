//! Live servers: a migration rehearsed on a throw-away PostgreSQL, with rows and with the traffic of the releases.
//!
//! A migration is untrusted code. It runs as a role without superuser, server programs and files, on a server that only this process
//! reaches; nothing that it can define is ever executed by the role that owns the server, which reads the system's catalog only.

mod error;
mod binaries;
mod session;
mod locks;
mod script;
mod request;
mod cluster;
mod catalog;
mod rows;
mod traffic;
mod compare;
mod step;
mod stage;
mod lost;
mod people;
mod beside;
mod quiet;
mod outcome;
mod rehearse;

pub use error::RehearseError;
pub use outcome::longest_lock;
pub use rehearse::rehearse;
pub use request::{Options, Progress, Request, Rewritten};
pub use script::{Script, Step};
