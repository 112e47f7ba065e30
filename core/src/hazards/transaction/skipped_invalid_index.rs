//! IF NOT EXISTS passes over the invalid index that an interrupted build has left, and reports success.

use crate::dialect::Dialect;
use crate::hazards::{Context, Fix, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation};
use crate::text::Edit;

/// IF NOT EXISTS passes over the invalid index that an interrupted build has left, and reports success.
pub(crate) static RULE: Rule = Rule {
    id: "skipped-invalid-index",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("skipped_invalid_index.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::CreateIndex(index) = &operation.kind else { return None };
    let name = index.name.as_ref()?;
    let dropped = ctx.session.dropped_indexes.iter().any(|it| it.name == name.name);
    if !index.concurrently
        || !index.if_not_exists
        || dropped
        || ctx.in_transaction()
        || !ctx.is_live(&ctx.resolve(&index.table))
    {
        return None;
    }
    let message = format!("a half-built {name} of an earlier try is passed over, and nothing uses it");
    let drop = format!("DROP INDEX CONCURRENTLY IF EXISTS {};\n", name.sql(ctx.target.dialect));
    let fix = Fix::needs_review(
        "Drop what an earlier try has left",
        vec![Edit::insert(ctx.statement_span.start, drop)],
    );
    Some(Hazard::new(&RULE, name.span, message).with_fix(fix))
}
