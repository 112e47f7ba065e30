//! Phases, releases and migrations of several parts made one.

use crate::dialect::Name;
use crate::operation::{ConstraintKind, Kind, ObjectKind, TableAction};
use crate::plan::{Act, Phase, ReleaseStep, SqlStep, Statement, Step};
use crate::text::Span;

/// One release that does what two must do.
pub(super) fn releases(mut one: Phase, other: Phase) -> Phase {
    let musts = |it: &Phase| it.releases().flat_map(|it| it.must.clone()).collect();
    let must = union(musts(&one), musts(&other));
    one.title = titles(&one.title, &other.title);
    one.entry = union(one.entry, other.entry);
    one.exit = union(one.exit, other.exit);
    one.steps = vec![Step::Release(ReleaseStep { must })];
    one
}

fn union<T: PartialEq>(mut one: Vec<T>, other: Vec<T>) -> Vec<T> {
    for it in other {
        if !one.contains(&it) {
            one.push(it);
        }
    }
    one
}

fn titles(one: &str, other: &str) -> String {
    if one.split("; ").any(|it| it == other) { one.to_owned() } else { format!("{one}; {other}") }
}

/// The phases of an epoch: those of a kind that stand side by side are one. `meet` tells whether two parts have something in common.
pub(super) fn phases(all: &[(usize, Phase)], meet: impl Fn(usize, usize) -> bool) -> Vec<Phase> {
    let mut rest = all;
    let mut merged = Vec::new();
    while let Some((_, first)) = rest.first() {
        // What must be asked before a phase cannot be asked before another one that makes what it asks for.
        let asks = |it: &Phase| it.entry.iter().any(|it| it.query.is_some());
        let apart = |at: usize| rest[..at].iter().all(|(other, _)| !meet(*other, rest[at].0));
        let same = |at: &usize| {
            let phase = &rest[*at].1;
            phase.kind == first.kind && (!asks(phase) || apart(*at))
        };
        let count = (1..rest.len()).take_while(same).count() + 1;
        let (same, later) = rest.split_at(count);
        merged.push(phase(same, &meet));
        rest = later;
    }
    merged
}

fn phase(same: &[(usize, Phase)], meet: &impl Fn(usize, usize) -> bool) -> Phase {
    let mut whole = same[0].1.clone();
    for (_, other) in &same[1..] {
        whole.title = titles(&whole.title, &other.title);
        whole.entry = union(whole.entry, other.entry.clone());
        whole.exit = union(whole.exit, other.exit.clone());
        whole.rollback = titles(&whole.rollback, &other.rollback);
        whole.trigger = titles(&whole.trigger, &other.trigger);
    }
    whole.steps = steps(same, meet);
    whole
}

/// A step with the part that it comes from: of several, all of them.
struct Placed {
    parts: Vec<usize>,
    step: Step,
}

/// The steps of parts that have nothing in common side by side, the first of each, the second of each, so that those of one table meet.
fn steps(same: &[(usize, Phase)], meet: &impl Fn(usize, usize) -> bool) -> Vec<Step> {
    let mut placed: Vec<Placed> = Vec::new();
    let mut rest = same;
    while !rest.is_empty() {
        let apart = |at: &usize| {
            rest[..*at].iter().all(|(other, _)| *other != rest[*at].0 && !meet(*other, rest[*at].0))
        };
        let count = (1..rest.len()).take_while(apart).count() + 1;
        let (side_by_side, later) = rest.split_at(count);
        let longest = side_by_side.iter().map(|(_, it)| it.steps.len()).max().unwrap_or(0);
        for at in 0..longest {
            for (part, phase) in side_by_side {
                if let Some(step) = phase.steps.get(at) {
                    push(&mut placed, *part, step.clone(), meet);
                }
            }
        }
        rest = later;
    }
    placed.into_iter().map(|it| it.step).collect()
}

/// Adds a step, to a migration before it where both may share a transaction and nothing between has to do with it.
fn push(placed: &mut Vec<Placed>, part: usize, step: Step, meet: &impl Fn(usize, usize) -> bool) {
    if let Step::Sql(own) = &step {
        for before in placed.iter_mut().rev() {
            if let Step::Sql(sql) = &mut before.step
                && let Some(joined) = join(sql, own)
            {
                *sql = joined;
                before.parts.push(part);
                return;
            }
            if before.parts.iter().any(|it| *it == part || meet(*it, part)) {
                break;
            }
        }
    }
    placed.push(Placed { parts: vec![part], step });
}

/// What statements of a migration hold while they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hold {
    /// A lock for a moment.
    Moment,
    /// A weak lock for as long as rows are read.
    Reading,
}

/// Two migrations about one table in one transaction.
fn join(one: &SqlStep, other: &SqlStep) -> Option<SqlStep> {
    let same = one.transactional && other.transactional && one.dialect == other.dialect;
    let (table, hold) = about(one).filter(|_| same)?;
    (about(other)? == (table, hold) && settings(one) == settings(other)).then_some(())?;
    // A look at the rows comes before all locks, and so before what is made here: it must not be about that.
    let looks = other.up.iter().any(Statement::is_look);
    (!looks || one.operations().all(leaves_rows)).then_some(())?;
    let both = |first: &[Statement], then: &[Statement]| -> Vec<Statement> {
        let again = |it: &&Statement| it.is_setting() && first.contains(it);
        first.iter().chain(then.iter().filter(|it| !again(it))).cloned().collect()
    };
    let down = match (&one.down, &other.down) {
        (Some(one), Some(other)) => Some(both(other, one)),
        _ => None,
    };
    Some(SqlStep {
        name: one.name.clone(),
        title: titles(&one.title, &other.title),
        up: looks_first(both(&one.up, &other.up)),
        down,
        transactional: true,
        dialect: one.dialect,
    })
}

/// What a migration sets for its statements, but the timeout that each has.
fn settings(step: &SqlStep) -> Vec<&Kind> {
    let own = |kind: &&Kind| matches!(kind, Kind::Set(set) if set.name != "lock_timeout");
    step.operations().filter(own).collect()
}

/// The same statements, those that refuse behind the settings.
fn looks_first(statements: Vec<Statement>) -> Vec<Statement> {
    let (settings, rest): (Vec<_>, Vec<_>) = statements.into_iter().partition(Statement::is_setting);
    let (refusals, rest): (Vec<_>, Vec<_>) = rest.into_iter().partition(Statement::is_look);
    [settings, refusals, rest].concat()
}

/// Whether an operation makes no column and changes no rows, so that a look at the rows before it sees the same.
fn leaves_rows(kind: &Kind) -> bool {
    match kind {
        Kind::Set(_) => true,
        Kind::AlterTable(alter) => matches!(alter.action, TableAction::AddConstraint { .. }),
        _ => false,
    }
}

/// The one table that a migration is about, and how it holds it; `None` where it is about more or about rows.
fn about(step: &SqlStep) -> Option<(Name, Hold)> {
    let mut found: Option<(Name, Hold)> = None;
    for statement in &step.up {
        if matches!(statement.act, Act::Batches(_) | Act::Together(_)) {
            return None;
        }
        for kind in statement.operations() {
            let (table, hold) = match kind {
                Kind::Set(_) | Kind::CreateFunction(_) => continue,
                Kind::Comment(it) if matches!(it.object, ObjectKind::Table | ObjectKind::Column) => {
                    (&it.name, Hold::Moment)
                }
                Kind::Grant(grant) => match grant.tables.as_slice() {
                    [table] => (table, Hold::Moment),
                    _ => return None,
                },
                Kind::Drop(drop) => match (drop.object, &drop.on_table) {
                    (ObjectKind::Function, _) => continue,
                    (ObjectKind::Trigger, Some(table)) => (table, Hold::Moment),
                    _ => return None,
                },
                Kind::CreateTrigger(trigger) if !trigger.constraint => (&trigger.table, Hold::Moment),
                Kind::AlterTable(alter) => (&alter.table, held(&alter.action)?),
                _ => return None,
            };
            // Where it stands in a text does not matter.
            let about = (Name { span: Span::default(), ..table.clone() }, hold);
            if *found.get_or_insert_with(|| about.clone()) != about {
                return None;
            }
        }
    }
    found
}

fn held(action: &TableAction) -> Option<Hold> {
    match action {
        TableAction::AddColumn { column, .. } => {
            (column.constraints.is_empty() && column.generated.is_none()).then_some(Hold::Moment)
        }
        TableAction::DropColumn { .. }
        | TableAction::SetDefault { .. }
        | TableAction::DropDefault { .. }
        | TableAction::DropNotNull { .. }
        | TableAction::SetNotNull { .. }
        | TableAction::RenameColumn { .. }
        | TableAction::DropConstraint { .. } => Some(Hold::Moment),
        TableAction::AddConstraint { constraint } => {
            let own = !matches!(constraint.kind, ConstraintKind::ForeignKey(_));
            (constraint.not_valid && own).then_some(Hold::Moment)
        }
        TableAction::ValidateConstraint { .. } => Some(Hold::Reading),
        _ => None,
    }
}
