//! A table rebuilt under its name, not in partitions.

use crate::dialect::Dialect;
use crate::plan::Way;

use super::partition_table::{claim, write};
use super::{Form, Recipe};

pub(super) static RECIPE: Recipe = Recipe {
    id: "rebuild-table",
    dialects: &[Dialect::Postgres],
    page: include_str!("rebuild_table.md"),
    ways: &[Way::Triggers],
    form: Form::Several { claim: |operations, scene| claim(operations, scene, false), write },
};
