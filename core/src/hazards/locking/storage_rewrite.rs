//! The table is rewritten or copied as a whole while nobody can read or write it.

use crate::dialect::Dialect;
use crate::effect::Work;
use crate::engine;
use crate::hazards::{Context, Fix, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Maintain, Maintenance, Operation, TableAction};
use crate::text::Edit;

/// The table is rewritten or copied as a whole while nobody can read or write it.
pub(crate) static RULE: Rule = Rule {
    id: "storage-rewrite",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("storage_rewrite.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let (name, what) = match &operation.kind {
        Kind::Maintain(maintain) => {
            let rewrites = maintain.command.shuts_out();
            if rewrites && maintain.tables.is_empty() {
                let message = "reads and writes of one table after the other wait while it is rewritten";
                return Some(Hazard::new(&RULE, operation.span, message));
            }
            (maintain.tables.first().filter(|_| rewrites)?, "it is rewritten")
        }
        Kind::AlterTable(alter) => match &alter.action {
            TableAction::SetLogged { .. } | TableAction::SetAccessMethod { .. } => {
                (&alter.table, "it is rewritten")
            }
            TableAction::SetTablespace { .. } => (&alter.table, "its files are copied"),
            _ => return None,
        },
        _ => return None,
    };
    if !ctx.works_on_live(Work::Rewrite) && !ctx.works_on_live(Work::FileCopy) {
        return None;
    }
    let message = format!("reads and writes of {} wait while {what}", ctx.display(&ctx.resolve(name)));
    let hazard = Hazard::new(&RULE, name.span, message);
    let Kind::Maintain(maintain) = operation.kind.clone() else {
        return Some(hazard.with_recipe("swap-table").with_recipe("window-only"));
    };
    let fix = beside_users(operation, &maintain, ctx);
    let hazard = if fix.is_some() { hazard.with_recipe("repack-table") } else { hazard };
    let hazard = hazard.with_recipe("swap-table").with_recipe("window-only");
    Some(match fix {
        Some(fix) => hazard.with_fix(fix),
        None => hazard,
    })
}

/// The same work in the form that lets readers and writers go on.
fn beside_users(operation: &Operation, maintain: &Maintain, ctx: &Context<'_>) -> Option<Fix> {
    let online = Maintain { command: Maintenance::Repack { concurrently: true }, ..maintain.clone() };
    let sql = engine::of(ctx.target.dialect).spell(&Kind::Maintain(online));
    let sql = sql.filter(|_| ctx.effect.has_concurrent_form)?;
    let edit = Edit::replace(operation.span, sql);
    Some(Fix::needs_review("Rewrite it without blocking its users, outside a transaction", vec![edit]))
}
