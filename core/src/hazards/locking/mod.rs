//! Hazards of locks held while rows are read or written.

pub mod blocking_index_build;
pub mod blocking_index_drop;
pub mod inline_unique_build;
pub mod not_null_scan;
pub mod stored_column_rewrite;
pub mod type_change_rewrite;
pub mod validating_constraint;
pub mod volatile_default_rewrite;
