//! What the migrations of one deploy do together.

pub mod contract_with_expand;
pub mod discarded_work;
pub mod repeated_lock;
pub mod unvalidated_constraint;
