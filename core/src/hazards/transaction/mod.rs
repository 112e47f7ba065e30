//! Hazards of transactions, timeouts and statements that cannot succeed.

pub mod concurrent_in_transaction;
pub mod failing_statement;
pub mod many_tables_locked;
pub mod no_lock_timeout;
pub mod validation_under_lock;
pub mod work_under_lock;
