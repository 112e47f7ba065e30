//! Hazards of transactions, timeouts and statements that cannot succeed.

pub mod concurrent_in_transaction;
pub mod emptied_search_path;
pub mod failing_statement;
pub mod ineffective_local_setting;
pub mod lock_outside_transaction;
pub mod long_lock_timeout;
pub mod many_tables_locked;
pub mod no_lock_timeout;
pub mod pending_check;
pub mod skipped_invalid_index;
pub mod stray_transaction;
pub mod timed_out_build;
pub mod unclosed_transaction;
pub mod unusable_enum_value;
pub mod useless_lock_timeout;
pub mod validation_under_lock;
pub mod work_under_lock;
