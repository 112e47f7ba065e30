//! The new type cannot hold all that the old one can: values are rounded or cut, or the statement fails on them.

use crate::dialect::Dialect;
use crate::effect::Loss;
use crate::engine::effect::loss;
use crate::engine::preflight;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation, TableAction};

/// The new type cannot hold all that the old one can: values are rounded or cut, or the statement fails on them.
pub(crate) static RULE: Rule = Rule {
    id: "lossy-type-change",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("lossy_type_change.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    let TableAction::AlterType { column, ty, .. } = &alter.action else { return None };
    let table = ctx.resolve(&alter.table);
    let from = &ctx.catalog.table(&table)?.column(&column.name)?.ty;
    if !ctx.is_live(&table) || ctx.fails() {
        return None;
    }
    let of = format!("{}.{column}", ctx.display(&table));
    let message = match loss(from, ty)? {
        Loss::Silent => format!("values of {of} that do not fit {ty} are silently rounded or cut"),
        Loss::Error => format!("it fails on the first value of {of} that does not fit into {ty}"),
    };
    let preflight = preflight::misfits(&table, &column.name, from, ty, ctx.target.dialect);
    let hazard = Hazard::new(&RULE, column.span, message).with_recipe("expand-contract-type");
    Some(hazard.with_preflight(preflight))
}
