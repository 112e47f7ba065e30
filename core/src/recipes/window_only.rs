//! Changes that have no online way: it is said, with what there is instead.

use crate::dialect::Dialect;
use crate::engine::Capability;
use crate::mechanics::Refusal;
use crate::mechanics::scene::Scene;
use crate::operation::{Kind, Operation, RelationWord, TableAction};
use crate::plan::{Phase, Way};

use super::{Form, Recipe};

pub(super) static RECIPE: Recipe = Recipe {
    id: "window-only",
    dialects: &[Dialect::Postgres],
    page: include_str!("window_only.md"),
    ways: &[Way::Triggers],
    form: Form::One { applies: |operation| what(operation).is_some(), write },
};

/// What has no online way.
enum What {
    Tables,
    FilesOfIndex,
    View,
}

fn what(operation: &Operation) -> Option<What> {
    match &operation.kind {
        Kind::Maintain(it) if it.command.shuts_out() => Some(What::Tables),
        Kind::AlterTable(alter) if alter.relation != RelationWord::Table => match &alter.action {
            TableAction::SetTablespace { .. } if alter.relation == RelationWord::Index => {
                Some(What::FilesOfIndex)
            }
            TableAction::SetAccessMethod { .. } | TableAction::SetTablespace { .. } => Some(What::View),
            _ => None,
        },
        _ => None,
    }
}

/// What there is instead of an online way.
fn instead(what: &What, scene: &Scene<'_>) -> String {
    match what {
        What::Tables => format!(
            "tables are rewritten under ACCESS EXCLUSIVE: name one alone, and the index that it is ordered by, and a copy takes its place; \
             REPACK (CONCURRENTLY) from {} on, pg_repack and pg_squeeze do it without blocking; or take a window",
            scene.since(Capability::RepackConcurrently)
        ),
        What::FilesOfIndex => format!(
            "the files are copied under ACCESS EXCLUSIVE: REINDEX (TABLESPACE …) INDEX CONCURRENTLY moves it without blocking \
             from {} on; or take a window",
            scene.since(Capability::ReindexTablespace)
        ),
        What::View => "the view is rewritten under ACCESS EXCLUSIVE: make a new one of that kind and let readers move over, or take a window".to_owned(),
    }
}

fn write(operation: &Operation, scene: &Scene<'_>, _: Way) -> Result<Vec<Phase>, Refusal> {
    let what = what(operation).ok_or_else(|| Refusal::new("it has an online way of its own"))?;
    Err(Refusal::new(instead(&what, scene)))
}
