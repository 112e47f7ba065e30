//! One file per tool: what it takes, what it answers, and `run`.

pub mod analyze_migration;
pub mod describe_schema;
pub mod explain;
pub mod find_references;
pub mod gate_status;
pub mod gather_signals;
pub mod propose_strategies;
pub mod request_approval;
pub mod write_migrations;
pub mod write_report;
