//! Files that look themselves whether what must be so before them is so.

use crate::plan::{Act, Criterion, Phase, SqlStep, Statement, Step};

/// Lets each migration begin with the conditions before it that a server can be asked for: those of its phase, and those that the phases before it had
/// to meet at their end. What was so before a release need not be so behind it, since the release may write what it likes.
pub fn guarded(phases: &mut [Phase]) {
    let mut due: Vec<Criterion> = Vec::new();
    for phase in phases {
        due.extend(phase.entry.iter().cloned());
        for step in &mut phase.steps {
            match step {
                Step::Sql(step) => look(step, std::mem::take(&mut due)),
                Step::Release(_) => due.clear(),
                Step::Check(_) => {}
            }
        }
        due.extend(phase.exit.iter().cloned());
    }
}

/// What is alone in its file cannot have a look before it, and what works in batches asks for each of its rows.
fn look(step: &mut SqlStep, due: Vec<Criterion>) {
    if !step.transactional || step.job().is_some() {
        return;
    }
    let mut looks: Vec<Statement> = Vec::new();
    for criterion in due.into_iter().filter(|it| !it.seen_by_step) {
        let Some(count) = criterion.query else { continue };
        let look = Statement::of(Act::Require { text: criterion.text, count });
        if !looks.contains(&look) {
            looks.push(look);
        }
    }
    let settings = step.up.iter().take_while(|it| it.is_setting()).count();
    step.up.splice(settings..settings, looks);
}
