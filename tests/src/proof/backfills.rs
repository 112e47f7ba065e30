//! Backfills by themselves.
