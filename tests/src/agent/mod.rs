//! The tools of agents attacked and worn out, by a client that says what it likes.
//!
//! [`crate::mcp`] plays what the official SDK lets a client do. Here everything is generated: each field of each tool meets each hostile
//! text, each file that a gate rests on is damaged in each way, each moment of a write is raced, and servers are called for long and killed.

mod asked;
mod client;
mod damage;
mod fields;
mod hostile;
mod http;
mod news;
mod races;
mod soak;
mod workspace;

/// The migration of the example that agents plan.
const MIGRATION: &str = "db/migrations/20260114100000_rename_user_name.sql";
