//! The repository as a world: configuration, migration folders, targets, references, signals, git.
//!
//! Everything here reads files; what is written goes through [`write`]. Analysis is core's; this room brings it values.

pub mod config;
pub mod secret;
pub mod files;
pub mod folder;
pub mod steps;
pub mod discover;
pub mod target;
pub mod references;
pub mod signals;
pub mod git;
pub mod tier;
mod interrupt;
pub mod write;
pub mod policy;
pub mod database;
pub mod drift;
pub mod measured;
pub mod models;
pub mod pending;
pub mod analysis;
pub mod proved;
pub mod fixes;
pub mod baseline;
pub mod rewrite;
pub mod review;
pub mod owners;
pub mod consumers;
pub mod planning;

pub use discover::{DiscoverError, Project, discover, open};
