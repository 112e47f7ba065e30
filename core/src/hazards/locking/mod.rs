//! Hazards of locks held while rows are read or written.

pub mod attached_partition_scan;
pub mod blocking_index_build;
pub mod blocking_index_drop;
pub mod blocking_refresh;
pub mod blocking_reindex;
pub mod default_partition_scan;
pub mod domain_constraint_scan;
pub mod exclusion_build;
pub mod inline_unique_build;
pub mod locked_partition_parent;
pub mod lost_statistics;
pub mod not_null_scan;
pub mod nullable_key_scan;
pub mod partitioned_index_build;
pub mod storage_rewrite;
pub mod stored_column_rewrite;
pub mod type_change_rewrite;
pub mod unindexed_foreign_key;
pub mod validating_constraint;
pub mod volatile_default_rewrite;
