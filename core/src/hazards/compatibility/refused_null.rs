//! A check refuses NULL in a column that rows could leave empty, from its first moment on: NOT VALID spares old rows only.

use crate::catalog::filling::Place;
use crate::dialect::Dialect;
use crate::engine::preflight;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger, is_of_rewrite};
use crate::operation::{ConstraintKind, Kind, Operation, TableAction};

/// A check refuses NULL in a column that rows could leave empty, from its first moment on: NOT VALID spares old rows only.
pub(crate) static RULE: Rule = Rule {
    id: "refused-null",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("refused_null.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    let TableAction::AddConstraint { constraint } = &alter.action else { return None };
    let table = ctx.resolve(&alter.table);
    // A step of a rewrite comes behind the release that its plan names.
    let of_rewrite = constraint.name.as_ref().is_some_and(|it| is_of_rewrite(&it.name));
    let ConstraintKind::Check(condition) = &constraint.kind else { return None };
    if ctx.goes_back() || of_rewrite || !ctx.is_live(&table) {
        return None;
    }
    let columns = condition.implied_not_null(ctx.target.dialect);
    let open = |column: &&String| {
        Place::of(ctx.catalog, &table, column)
            .is_some_and(|it| !it.refuses_null() && !it.is_filled() && !it.has_default())
    };
    let column = columns.iter().find(open)?;
    let shown = format!("{}.{column}", ctx.display(&table));
    let added = ctx.session.added_columns.iter().any(|it| it.table == table && it.column == *column);
    let message = match added {
        true => format!(
            "the running release does not know {shown}, so each row that it inserts is refused from here on"
        ),
        false => format!(
            "an insert or update of the running release that leaves {shown} empty is refused from here on"
        ),
    };
    let span = constraint.name.as_ref().map_or(constraint.span, |name| name.span);
    let query = preflight::nulls(&table, [column.as_str()], ctx.target.dialect);
    let hazard = Hazard::new(&RULE, span, message).with_preflight(query);
    Some(if added { hazard.with_severity(Severity::Danger) } else { hazard })
}
