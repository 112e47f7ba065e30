//! What a migration's way back cannot give back, or leaves behind.

pub mod incomplete_down;
pub mod irreversible_change;
pub mod missing_down;
