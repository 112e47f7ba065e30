//! One file per tool: what it takes, what it answers, and `run`.

pub mod analyze_migration;
pub mod answer_questions;
pub mod check_usage;
pub mod describe_schema;
pub mod draft_plan;
pub mod explain;
pub mod find_references;
pub mod gate_status;
pub mod gather_signals;
pub mod get_plan;
pub mod list_questions;
pub mod next;
pub mod operation_status;
pub mod propose_strategies;
pub mod rehearse;
pub mod request_approval;
pub mod verify_integrity;
pub mod write_migrations;
pub mod write_report;
