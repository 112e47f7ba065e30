//! Names, keys, indexes and checks that are not what they seem.

pub mod cut_name;
pub mod disabled_autovacuum;
pub mod duplicate_index;
pub mod mismatched_key;
pub mod moving_check;
pub mod open_definer;
pub mod public_grant;
pub mod skipped_change;
pub mod stale_sequence;
