//! Hazards of changed rows.

pub mod cascading_drop;
pub mod data_change_under_lock;
pub mod discarding_conversion;
pub mod dropped_and_added;
pub mod dropped_database;
pub mod lossy_type_change;
pub mod possible_duplicates;
pub mod shifted_times;
pub mod truncated_table;
pub mod unbounded_data_change;
pub mod uncommitted_batches;
