//! Hazards for the release that runs while the migration does, and after it.

pub mod dropped_column;
pub mod dropped_table;
pub mod renamed_column;
pub mod renamed_table;
pub mod required_column;
