//! Hazards of transactions, timeouts and statements that cannot succeed.

pub mod concurrent_in_transaction;
pub mod failing_statement;
pub mod no_lock_timeout;
