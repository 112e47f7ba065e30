//! Changes that have no online way: it is said, with what there is instead.

use crate::mechanics::Refusal;
use crate::mechanics::scene::Scene;
use crate::operation::{Kind, Operation, RelationWord, TableAction};
use crate::plan::{Phase, Way};

use super::{Form, Recipe};

pub(super) static RECIPE: Recipe = Recipe {
    id: "window-only",
    page: include_str!("window_only.md"),
    ways: &[Way::Triggers],
    form: Form::One { applies: |operation| instead(operation).is_some(), write },
};

/// What there is instead of an online way.
fn instead(operation: &Operation) -> Option<&'static str> {
    match &operation.kind {
        Kind::Maintain(it) if it.command.shuts_out() => Some(
            "tables are written anew under ACCESS EXCLUSIVE: name one alone, and the index that it is ordered by, and a copy takes its place; \
             REPACK (CONCURRENTLY) from 19 on, pg_repack and pg_squeeze do it beside readers and writers; or take a window",
        ),
        Kind::AlterTable(alter) if alter.relation != RelationWord::Table => match &alter.action {
            TableAction::SetTablespace { .. } if alter.relation == RelationWord::Index => Some(
                "the files are copied under ACCESS EXCLUSIVE: REINDEX (TABLESPACE …) INDEX CONCURRENTLY moves it beside readers and \
                 writers from 14 on; or take a window",
            ),
            TableAction::SetAccessMethod { .. } | TableAction::SetTablespace { .. } => Some(
                "the view is written anew under ACCESS EXCLUSIVE: make a new one of that kind and let readers move over, or take a window",
            ),
            _ => None,
        },
        _ => None,
    }
}

fn write(operation: &Operation, _: &Scene<'_>, _: Way) -> Result<Vec<Phase>, Refusal> {
    Err(Refusal::new(instead(operation).unwrap_or("it has an online way of its own")))
}
