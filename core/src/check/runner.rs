//! A part of a migration in the hands of its runner.

use super::{Checked, Part};
use crate::dialect::Target;
use crate::framework::{Framework, Section, Settings};
use crate::hazards::{self, Hazard, PendingStatement, Sent};
use crate::statement::Script;

/// Adds the hazards of what the runner makes of a part.
pub fn check_runner(
    framework: &'static Framework,
    settings: Settings,
    section: &Section,
    part: Part<'_>,
    target: &Target,
    checked: &mut Checked,
) {
    let script = Script::read_part(part.text, part.span, target.dialect);
    let statements = checked.statements.iter();
    let statements = statements.map(|it| PendingStatement { operations: &it.operations, effect: &it.effect });
    let sent = Sent {
        framework,
        settings,
        is_stated: section.is_stated,
        script: &script,
        span: part.span,
        transaction: part.transaction,
        statements: statements.collect(),
    };
    let found = hazards::check_runner(&sent);
    if found.is_empty() {
        return;
    }
    let at = |hazard: &Hazard| checked.statements.iter().position(|it| it.span.contains(hazard.span));
    let found: Vec<Hazard> =
        found.into_iter().map(|it| Hazard { statement: at(&it).unwrap_or(0), ..it }).collect();
    checked.hazards.extend(found);
    checked.hazards.sort_by_key(|hazard| (hazard.span, hazard.rule));
}
