//! Hazards for the release that runs while the migration does, and after it.

pub mod added_enum_value;
pub mod dropped_attribute;
pub mod dropped_column;
pub mod dropped_default;
pub mod dropped_object;
pub mod dropped_replica_identity;
pub mod dropped_table;
pub mod dropped_view;
pub mod lost_conflict_target;
pub mod narrow_sequence;
pub mod refused_ids;
pub mod refused_null;
pub mod renamed_column;
pub mod renamed_enum_value;
pub mod renamed_object;
pub mod renamed_schema;
pub mod renamed_table;
pub mod required_column;
pub mod reshaped_view;
pub mod revoked_right;
pub mod row_security_lockout;
pub mod silenced_trigger;
