//! Changes that have no online way: it is said, with what there is instead.

use crate::operation::{ConstraintKind, Kind, Maintenance, Operation, TableAction};
use crate::plan::{Phase, Way};

use super::scene::Scene;
use super::{Form, Recipe, Refusal};

pub(super) static RECIPE: Recipe = Recipe {
    id: "window-only",
    page: include_str!("window_only.md"),
    ways: &[Way::Triggers],
    form: Form::One { applies: |operation| instead(operation).is_some(), write },
};

/// What there is instead of an online way.
fn instead(operation: &Operation) -> Option<&'static str> {
    match &operation.kind {
        Kind::Maintain(it) if matches!(it.command, Maintenance::VacuumFull | Maintenance::Cluster) => Some(
            "the table is written anew under ACCESS EXCLUSIVE: pg_repack and pg_squeeze do it beside readers and writers; or \
             take a window",
        ),
        Kind::AlterTable(alter) => match &alter.action {
            TableAction::AddConstraint { constraint }
                if matches!(constraint.kind, ConstraintKind::Exclude { .. }) =>
            {
                Some(
                    "the index of an exclusion constraint can be built neither concurrently nor NOT VALID: make a new table with \
                 the constraint and move the rows over by triggers, or take a window",
                )
            }
            TableAction::SetLogged { .. } | TableAction::SetAccessMethod { .. } => Some(
                "the table is written anew under ACCESS EXCLUSIVE: make a new table of that kind and move the rows over by \
                 triggers, or take a window",
            ),
            TableAction::SetTablespace { .. } => Some(
                "the files are copied under ACCESS EXCLUSIVE: pg_repack --tablespace moves a table beside readers and writers, \
                 REINDEX CONCURRENTLY (TABLESPACE …) an index from 14 on; or take a window",
            ),
            _ => None,
        },
        _ => None,
    }
}

fn write(operation: &Operation, _: &Scene<'_>, _: Way) -> Result<Vec<Phase>, Refusal> {
    Err(Refusal::new(instead(operation).unwrap_or("it has an online way of its own")))
}
