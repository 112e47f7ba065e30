//! PostgreSQL.

mod batches;
mod capabilities;
mod counts;
mod describe;
pub(super) mod effect;
pub(super) mod lower;
mod measure;
pub mod preflight;
mod spell;
pub mod versions;
mod watch;

use super::{Count, Engine, Fact, Watch};
use crate::backfill::BackfillJob;
use crate::dialect::{Version, quote_literal};
use crate::operation::Kind;

#[derive(Debug)]
pub(super) struct Postgres;

impl Engine for Postgres {
    fn capabilities(&self) -> &'static [Fact] {
        capabilities::CAPABILITIES
    }

    fn spell(&self, kind: &Kind) -> Option<String> {
        spell::statement(kind)
    }

    fn batches(&self, job: &BackfillJob) -> String {
        batches::statement(job)
    }

    fn refuse(&self, rows: &str, message: &str) -> String {
        spell::refuse(rows, message)
    }

    fn require(&self, text: &str, count: &str) -> String {
        spell::require(text, count)
    }

    fn together(&self, statements: &[String]) -> String {
        spell::together(statements)
    }

    fn fail(&self, why: &str) -> String {
        spell::fail(why)
    }

    fn go_on(&self, sequence: &str, stands: &str) -> String {
        format!("SELECT setval({}, last_value, is_called) FROM {stands}", quote_literal(sequence))
    }

    fn next_value(&self, sequence: &str) -> String {
        format!("nextval({})", quote_literal(sequence))
    }

    fn go_on_behind(&self, sequence: &str, column: &str, table: &str) -> String {
        format!("SELECT setval({}, max({column})) FROM {table}", quote_literal(sequence))
    }

    fn count(&self, count: &Count<'_>) -> String {
        counts::query(count)
    }

    fn watch(&self, watch: &Watch<'_>, version: Version) -> Option<String> {
        Some(watch::query(watch, version))
    }
}
