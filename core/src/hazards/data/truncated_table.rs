//! All rows of the table are gone, without a trigger or a condition, and so are those of tables that CASCADE reaches.

use crate::catalog::RelationName;
use crate::dialect::{Dialect, LockMode};
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation};

/// All rows of the table are gone, without a trigger or a condition, and so are those of tables that CASCADE reaches.
pub(crate) static RULE: Rule = Rule {
    id: "truncated-table",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("truncated_table.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::Truncate(truncate) = &operation.kind else { return None };
    let name = truncate.tables.iter().find(|name| ctx.is_live(&ctx.resolve(name)))?;
    if ctx.fails() {
        return None;
    }
    let named: Vec<RelationName> = truncate.tables.iter().map(|it| ctx.resolve(it)).collect();
    let emptied = ctx.effect.locks.iter().filter(|(it, mode)| {
        **mode == LockMode::AccessExclusive
            && !named.contains(it)
            && ctx.catalog.table(it).is_some()
            && ctx.is_live(it)
    });
    let others: Vec<String> = emptied.map(|(it, _)| ctx.display(it)).collect();
    let mut message = format!("all rows of {} are gone", ctx.display(&ctx.resolve(name)));
    if !others.is_empty() {
        message.push_str(&format!(", and all of {}", others.join(", ")));
    } else if truncate.cascade && !ctx.catalog.is_complete() {
        message.push_str(", and all rows of every table that refers to it");
    }
    Some(Hazard::new(&RULE, name.span, message))
}
