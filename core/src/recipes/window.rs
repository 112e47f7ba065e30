//! The straight change, while nobody uses the application.
//!
//! The statements stay as they were written, in their order: what is one ALTER TABLE goes over the table once. Those that can run in a transaction
//! share one, with the lock timeout that every step of ours has: in a window nobody should be there to wait for, and who is there all the same is
//! noticed at once. Each of the others is a migration of its own, so that every framework can run it.

use crate::catalog::Session;
use crate::check::Checked;
use crate::effect;
use crate::operation::{Kind, Operation};
use crate::plan::{Criterion, Phase, PhaseKind, ReleaseStep, SqlStep, Step};
use crate::text::Span;

use super::scene::{Scene, inverse, joined, with_timeout};
use super::{Phases, Refusal};

/// A statement as it stands in a migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The allowances and settings in front of it, and the statement.
    pub lines: Vec<String>,
    /// What takes it back, where that is known.
    pub inverse: Option<String>,
    /// Whether it can run in a transaction.
    pub transactional: bool,
}

/// The statements of a part of `text`, without those about transactions and the lock timeout: each migration has its own.
pub fn written(text: &str, checked: &Checked) -> Vec<Written> {
    let (mut all, mut settings, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    for (number, statement) in checked.statements.iter().enumerate() {
        let operations = &statement.operations;
        let is_ours = |it: &Operation| match &it.kind {
            Kind::Transaction(_) => true,
            Kind::Set(set) => set.name == "lock_timeout",
            _ => false,
        };
        if operations.iter().all(is_ours) {
            continue;
        }
        let sql = statement.span.of(text).trim().to_owned();
        if operations.iter().all(|it| matches!(it.kind, Kind::Set(_))) {
            settings.push(sql);
            continue;
        }
        notes.extend(allowances(text, checked, number));
        let transactional = statement.effect.transactional;
        // A setting is a statement too, and what runs outside a transaction is alone.
        let before = if transactional { std::mem::take(&mut settings) } else { Vec::new() };
        let lines = before.into_iter().chain(notes.drain(..)).chain([sql]).collect();
        let back = operations.iter().rev().map(|it| inverse(it, text)).collect::<Option<Vec<_>>>();
        all.push(Written { lines, inverse: back.map(|it| it.join(";\n")), transactional });
    }
    all
}

/// The comments to us that stand in front of a statement or behind it on its line.
fn allowances<'a>(text: &'a str, checked: &'a Checked, number: usize) -> impl Iterator<Item = String> + 'a {
    let statement = &checked.statements[number];
    let before = number.checked_sub(1).map(|it| checked.statements[it].end);
    let same_line = |end: usize, at: usize| !Span::new(end, at.max(end)).of(text).contains('\n');
    let own = move |comment: &&Span| {
        let in_front = comment.end <= statement.span.start
            && before.is_none_or(|end| end <= comment.start && !same_line(end, comment.start));
        let behind = statement.end <= comment.start && same_line(statement.end, comment.start);
        in_front || behind
    };
    let words = |comment: &Span| comment.of(text).trim().to_owned();
    checked
        .comments
        .iter()
        .filter(own)
        .map(words)
        .filter(|it| it.starts_with("--") && it.contains("lockkeeper:"))
}

/// One phase between the end of one release and the start of the next, with migrations of this name. `back` is the way back as somebody wrote it, empty where there is none.
pub fn in_window(name: &str, statements: &[Written], back: &[Written]) -> Vec<Phase> {
    let together = |one: &Written, other: &Written| one.transactional && other.transactional;
    let parts: Vec<&[Written]> = statements.chunk_by(together).collect();
    let known = !back.is_empty();
    let steps = parts.iter().enumerate().map(|(number, part)| {
        // What takes back all of them at once stands where the way back ends.
        let own = if number == 0 { back } else { &[] };
        let down = if known { Some(lines(own)).filter(|it| !it.is_empty()) } else { inverses(part) };
        let transactional = part.iter().chain(own).all(|it| it.transactional);
        let spelled = |sql: &[String]| if transactional { with_timeout(sql) } else { joined(sql) };
        Step::Sql(SqlStep {
            name: if number == 0 { name.to_owned() } else { format!("{name}_{}", number + 1) },
            title: "the change as it was written".to_owned(),
            up: spelled(&lines(part)),
            down: down.map(|sql| spelled(&sql)),
            transactional,
            job: None,
        })
    });
    let must = vec!["know only the schema after the change, and start when the window ends".to_owned()];
    let steps = steps.chain([Step::Release(ReleaseStep { must })]).collect();
    let title = "stop the application, change the schema, start the new release";
    vec![
        Phase::new(PhaseKind::Contract, title, steps)
            .enter_when(Criterion::of_people("the window is announced and the application is stopped"))
            .undone_by("the down migration, then the release before", "the window is about to end"),
    ]
}

fn inverses(statements: &[Written]) -> Option<Vec<String>> {
    statements.iter().rev().map(|it| it.inverse.clone()).collect()
}

fn lines(statements: &[Written]) -> Vec<String> {
    statements.iter().flat_map(|it| &it.lines).cloned().collect()
}

/// The phase of these operations alone.
///
/// # Errors
/// [`Refusal`] where one of them fails as it was written.
pub(super) fn phases(operations: &[&Operation], scene: &Scene<'_>) -> Phases {
    let mut catalog = scene.catalog.clone();
    let mut statements = Vec::new();
    for operation in operations {
        let effect = effect::of(operation, scene.target, &catalog, &Session::default());
        if let Some(why) = effect.fails {
            return Err(Refusal::new(format!("as it was written it fails: {why}")));
        }
        catalog.apply(operation);
        let lines = vec![scene.statement_of(operation)];
        let inverse = scene.inverse(operation);
        statements.push(Written { lines, inverse, transactional: effect.transactional });
    }
    Ok(in_window("in_window", &statements, &[]))
}
