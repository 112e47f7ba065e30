//! The running release inserts rows without the new column, and those inserts fail.

use crate::dialect::Dialect;
use crate::engine::preflight;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Expression, Kind, Operation, TableAction};

/// The running release inserts rows without the new column, and those inserts fail.
pub(crate) static RULE: Rule = Rule {
    id: "required-column",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("required_column.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    let TableAction::AddColumn { column, .. } = &alter.action else { return None };
    let table = ctx.resolve(&alter.table);
    let has_value = column.default.as_ref().is_some_and(|it| !Expression::is_null(it))
        || column.generated.is_some()
        || column.identity.is_some()
        || column.ty.serial;
    let exists = ctx.catalog.table(&table).is_some_and(|it| it.column(&column.name.name).is_some());
    if !column.not_null || has_value || exists || !ctx.is_live(&table) {
        return None;
    }
    let preflight = preflight::rows(&table, ctx.target.dialect);
    let table = ctx.display(&table);
    let message = format!(
        "rows of {table} have no value for {}, and a release that does not know it cannot insert",
        column.name
    );
    Some(
        Hazard::new(&RULE, column.name.span, message)
            .with_recipe("add-column-in-steps")
            .with_preflight(preflight),
    )
}
