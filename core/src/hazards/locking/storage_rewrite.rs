//! The table is written anew or copied as a whole while nobody can read or write it.

use crate::dialect::Dialect;
use crate::effect::Work;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Maintenance, Operation, TableAction};

/// The table is written anew or copied as a whole while nobody can read or write it.
pub(crate) static RULE: Rule = Rule {
    id: "storage-rewrite",
    severity: Severity::Danger,
    dialects: Dialect::ANALYSED,
    page: include_str!("storage_rewrite.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let (name, what) = match &operation.kind {
        Kind::Maintain(maintain) => {
            let rewrites = matches!(maintain.command, Maintenance::VacuumFull | Maintenance::Cluster);
            if rewrites && maintain.tables.is_empty() {
                let message = "reads and writes of one table after the other wait while it is written anew";
                return Some(Hazard::new(&RULE, operation.span, message));
            }
            (maintain.tables.first().filter(|_| rewrites)?, "it is written anew")
        }
        Kind::AlterTable(alter) => match &alter.action {
            TableAction::SetLogged { .. } | TableAction::SetAccessMethod { .. } => {
                (&alter.table, "it is written anew")
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
    Some(Hazard::new(&RULE, name.span, message).with_recipe("swap-table").with_recipe("window-only"))
}
