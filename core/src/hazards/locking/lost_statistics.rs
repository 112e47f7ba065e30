//! A column changes its type without a rewrite: its statistics are gone until ANALYZE, and prepared statements that read it fail once.

use crate::dialect::Dialect;
use crate::effect::Work;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation, TableAction};

/// A column changes its type without a rewrite: its statistics are gone until ANALYZE, and prepared statements that read it fail once.
pub(crate) static RULE: Rule = Rule {
    id: "lost-statistics",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("lost_statistics.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    let TableAction::AlterType { column, .. } = &alter.action else { return None };
    let table = ctx.resolve(&alter.table);
    // Where rows are read or written, that is the greater trouble.
    let works = [Work::Rewrite, Work::IndexBuild, Work::Scan].into_iter().any(|it| ctx.works_on_live(it));
    if works || ctx.fails() || !ctx.is_live(&table) || ctx.undoes_column(&table, &column.name) {
        return None;
    }
    let shown = ctx.display(&table);
    let message = format!(
        "the planner knows nothing of {shown}.{column} until ANALYZE {shown}, and prepared statements that read it fail once"
    );
    Some(Hazard::new(&RULE, column.span, message))
}
