//! What a migration does to a running database, and how to do it safely.
//!
//! Values in, values out: no I/O, no clock, no async, no panic on any input. The module list is the layering, read
//! top to bottom: a module uses only modules above it (`tests/src/tidy.rs` checks it).

pub mod text;
pub mod quantity;
pub mod dialect;
pub mod reference;
pub mod statement;
pub mod framework;
pub mod operation;
pub mod catalog;
pub mod backfill;
pub mod effect;
pub mod engine;
pub mod hazards;
pub mod check;
pub mod estimate;
pub mod policy;
pub mod plan;
pub mod mechanics;
pub mod recipes;
pub mod verify;
pub mod planner;
pub mod signals;
pub mod strategies;
pub mod runbook;
pub mod report;
