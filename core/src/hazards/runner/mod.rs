//! What the runner makes of a migration before the server sees it.

pub mod half_applied;
pub mod late_migration;
pub mod refused_by_runner;
