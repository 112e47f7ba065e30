//! A part of a migration in the hands of its runner.

use super::{Checked, Part};
use crate::dialect::Target;
use crate::framework::{Direction, Framework, Reader, Section, Settings, Transaction};
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
    if !may_matter(framework, part) {
        return;
    }
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
    let placed = |it: Hazard| {
        let it = Hazard { statement: at(&it).unwrap_or(0), ..it };
        if section.direction == Direction::Down { it.on_the_way_back() } else { it }
    };
    let found: Vec<Hazard> = found.into_iter().map(placed).collect();
    checked.hazards.extend(found);
    crate::hazards::in_order(&mut checked.hazards);
}

/// Whether the runner may do anything with a part that its statements do not show: most are sent as they stand, and are not read once more.
fn may_matter(framework: &Framework, part: Part<'_>) -> bool {
    let text = part.span.of(part.text);
    let one_by_one = part.transaction == Transaction::Autocommit;
    match framework.reader {
        Reader::Psql => false,
        Reader::Sends => {
            one_by_one
                || text.contains('\\')
                || text.as_bytes().windows(5).any(|it| it.eq_ignore_ascii_case(b"stdin"))
        }
        Reader::Statements | Reader::Lines { .. } | Reader::Semicolons => true,
    }
}
