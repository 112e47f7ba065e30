//! One transaction closes several tables, which is how migrations and applications come into a deadlock.

use std::collections::BTreeSet;

use crate::catalog::RelationName;
use crate::dialect::{Dialect, LockMode};
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation};

/// One transaction closes several tables, which is how migrations and applications come into a deadlock.
pub(crate) static RULE: Rule = Rule {
    id: "many-tables-locked",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("many_tables_locked.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    if !ctx.in_transaction()
        || !matches!(operation.kind, Kind::AlterTable(_) | Kind::Drop(_) | Kind::Truncate(_))
    {
        return None;
    }
    let taken = closed(ctx.effect.locks.iter().map(|(name, mode)| (name, *mode)), ctx);
    if taken.is_empty() {
        return None;
    }
    // What a statement locks together, as a key locks both of its tables, it cannot lock apart: told is the first that closes more.
    let (mut held, mut places) = (BTreeSet::new(), BTreeSet::new());
    for (name, mode, span) in &ctx.session.held {
        let new = closed(std::iter::once((name, *mode)), ctx).into_iter().any(|it| held.insert(it));
        places.extend(new.then_some(*span));
    }
    let new = taken.iter().find(|name| !held.contains(*name))?;
    let second = held.iter().next().filter(|_| places.len() == 1)?;
    let message = format!(
        "{} stays closed while this waits for {}, and whoever uses both the other way round deadlocks",
        ctx.display(second),
        ctx.display(new)
    );
    let span = operation.relation().map_or(operation.span, |name| name.span);
    Some(Hazard::new(&RULE, span, message).with_recipe("own-transaction"))
}

/// The tables in use that the locks close to readers; partitions count with their parent.
fn closed<'a>(
    locks: impl Iterator<Item = (&'a RelationName, LockMode)>,
    ctx: &Context<'a>,
) -> BTreeSet<RelationName> {
    let strong =
        locks.filter(|(name, mode)| mode.blocks_reads() && ctx.is_live(name) && ctx.may_be_table(name));
    strong.map(|(name, _)| ctx.catalog.topmost(name)).collect()
}
