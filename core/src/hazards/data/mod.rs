//! Hazards of changed rows.

pub mod data_change_under_lock;
pub mod unbounded_data_change;
