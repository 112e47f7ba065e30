//! Engines that are recognised and not written for: no rule and no recipe names them, so nobody should ask.

use super::{Count, Engine, Fact, Watch};
use crate::backfill::BackfillJob;
use crate::dialect::Version;
use crate::operation::Kind;

#[derive(Debug)]
pub(super) struct NotYet;

const WHY: &str = "SELECT 1 FROM lockkeeper_writes_nothing_for_this_engine_yet";

impl Engine for NotYet {
    fn capabilities(&self) -> &'static [Fact] {
        &[]
    }

    fn spell(&self, _: &Kind) -> Option<String> {
        None
    }

    fn batches(&self, _: &BackfillJob) -> String {
        WHY.to_owned()
    }

    fn refuse(&self, _: &str, _: &str) -> String {
        WHY.to_owned()
    }

    fn require(&self, _: &str, _: &str) -> String {
        WHY.to_owned()
    }

    fn together(&self, _: &[String]) -> String {
        WHY.to_owned()
    }

    fn fail(&self, _: &str) -> String {
        WHY.to_owned()
    }

    fn go_on(&self, _: &str, _: &str) -> String {
        WHY.to_owned()
    }

    fn next_value(&self, _: &str) -> String {
        WHY.to_owned()
    }

    fn go_on_behind(&self, _: &str, _: &str, _: &str) -> String {
        WHY.to_owned()
    }

    fn count(&self, _: &Count<'_>) -> String {
        WHY.to_owned()
    }

    fn watch(&self, _: &Watch<'_>, _: Version) -> Option<String> {
        None
    }
}
