//! Rows that change while the trigger is off are never checked, copied or logged by it.

use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, ObjectKind, Operation, TableAction, TriggerState};

/// Rows that change while the trigger is off are never checked, copied or logged by it.
pub(crate) static RULE: Rule = Rule {
    id: "silenced-trigger",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("silenced_trigger.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let (table, span, what) = match &operation.kind {
        Kind::AlterTable(alter) => match &alter.action {
            TableAction::Trigger { name, state: TriggerState::Disabled } => {
                let what =
                    name.as_ref().map_or("any trigger or foreign key".to_owned(), |name| name.name.clone());
                (&alter.table, name.as_ref().map_or(alter.table.span, |name| name.span), what)
            }
            _ => return None,
        },
        Kind::Drop(drop) if drop.object == ObjectKind::Trigger => {
            let name = drop.names.first()?;
            (drop.on_table.as_ref()?, name.span, name.to_string())
        }
        _ => return None,
    };
    let resolved = ctx.resolve(table);
    let function = ctx.catalog.table(&resolved).and_then(|state| {
        state.triggers.iter().find(|it| it.name == what).and_then(|trigger| trigger.function.as_deref())
    });
    // Made again in the same transaction it is never missed; with its table or its function it goes for good.
    let made_anew = ctx.in_transaction() && ctx.rest_mentions(&["create", "trigger", &what.to_lowercase()]);
    let goes_too = made_anew
        || ctx.rest_mentions(&["drop", "table", &resolved.name])
        || function.is_some_and(|function| ctx.rest_mentions(&["drop", "function", function]));
    let had_none = ctx.back.is_some_and(|before| {
        before.table(&resolved).is_none_or(|it| it.triggers.iter().all(|trigger| trigger.name != what))
    });
    if had_none || !ctx.is_live(&resolved) || ctx.effect.locks.is_empty() || goes_too {
        return None;
    }
    let message = format!("rows of {} that change from here on pass by {what}", ctx.display(&resolved));
    Some(Hazard::new(&RULE, span, message))
}
