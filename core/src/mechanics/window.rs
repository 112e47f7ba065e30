//! The straight change, while nobody uses the application.
//!
//! The statements stay as they were written, in their order: what is one ALTER TABLE goes over the table once. Those that can run in a transaction
//! share one, with the lock timeout that every step of ours has: in a window nobody should be there to wait for, and who is there all the same is
//! noticed at once. Each of the others is a migration of its own, so that every framework can run it.

use crate::catalog::Catalog;
use crate::catalog::Session;
use crate::check::Checked;
use crate::dialect::Dialect;
use crate::engine::effect;
use crate::operation::{Kind, Operation};
use crate::plan::{Criterion, Phase, PhaseKind, ReleaseStep, SqlStep, Statement, Step, Written};
use crate::text::Span;

use super::inverse::inverse;
use super::scene::{Scene, with_timeout};
use super::{Phases, Refusal};

/// A statement as it stands in a migration.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// The settings in front of it, and the statement with its allowances.
    pub statements: Vec<Statement>,
    /// What takes it back, where that is known.
    pub inverse: Option<Vec<Statement>>,
    /// Whether it can run in a transaction.
    pub transactional: bool,
}

/// The statements of a part of `text`, without those about transactions and the lock timeout: each migration has its own.
pub fn written(text: &str, checked: &Checked) -> Vec<Standing> {
    let (mut all, mut settings, mut notes) = (Vec::new(), Vec::new(), String::new());
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
        let sql = statement.span.of(text).trim();
        let words = |text: String| Statement::from(Written { text, operations: operations.clone() });
        if operations.iter().all(|it| matches!(it.kind, Kind::Set(_))) {
            settings.push(words(sql.to_owned()));
            continue;
        }
        notes.extend(allowances(text, checked, number).map(|it| it + "\n"));
        let transactional = statement.effect.transactional;
        // A setting is a statement too, and what runs outside a transaction is alone.
        let before = if transactional { std::mem::take(&mut settings) } else { Vec::new() };
        let statements = before.into_iter().chain([words(std::mem::take(&mut notes) + sql)]).collect();
        // What was there before is not asked for: only what a statement says by itself is taken back.
        let nothing = Catalog::empty(checked.after.dialect());
        let inverse = operations.iter().rev().map(|it| inverse(it, &nothing)).collect();
        all.push(Standing { statements, inverse, transactional });
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
pub fn in_window(name: &str, statements: &[Standing], back: &[Standing], dialect: Dialect) -> Vec<Phase> {
    let steps = as_written_steps(name, statements, back, dialect, with_timeout);
    let must = vec!["know only the schema after the change, and start when the window ends".to_owned()];
    let steps = steps.into_iter().chain([Step::Release(ReleaseStep { must })]).collect();
    let title = "stop the application, change the schema, start the new release";
    vec![
        Phase::new(PhaseKind::Contract, title, steps)
            .enter_when(Criterion::of_people("the window is announced and the application is stopped"))
            .undone_by("the down migration, then the release before", "the window is about to end"),
    ]
}

/// One phase in which the migration runs as it is, beside the running release.
pub fn as_written(name: &str, statements: &[Standing], back: &[Standing], dialect: Dialect) -> Vec<Phase> {
    let steps = as_written_steps(name, statements, back, dialect, |it| it);
    vec![Phase::new(PhaseKind::Expand, "run the migration as it is written", steps)]
}

fn as_written_steps(
    name: &str,
    statements: &[Standing],
    back: &[Standing],
    dialect: Dialect,
    guarded: impl Fn(Vec<Statement>) -> Vec<Statement>,
) -> Vec<Step> {
    let together = |one: &Standing, other: &Standing| one.transactional && other.transactional;
    let parts: Vec<&[Standing]> = statements.chunk_by(together).collect();
    let known = !back.is_empty();
    let step = |(number, part): (usize, &&[Standing])| {
        // What takes back all of them at once stands where the way back ends.
        let own = if number == 0 { back } else { &[] };
        let down = if known { Some(all(own)).filter(|it| !it.is_empty()) } else { inverses(part) };
        let transactional = part.iter().chain(own).all(|it| it.transactional);
        let guarded = |it: Vec<Statement>| if transactional { guarded(it) } else { it };
        Step::Sql(SqlStep {
            name: if number == 0 { name.to_owned() } else { format!("{name}_{}", number + 1) },
            title: "the change as it was written".to_owned(),
            up: guarded(all(part)),
            down: down.map(guarded),
            transactional,
            dialect,
        })
    };
    parts.iter().enumerate().map(step).collect()
}

fn inverses(statements: &[Standing]) -> Option<Vec<Statement>> {
    let each: Option<Vec<Vec<Statement>>> = statements.iter().rev().map(|it| it.inverse.clone()).collect();
    each.map(|it| it.concat())
}

fn all(statements: &[Standing]) -> Vec<Statement> {
    statements.iter().flat_map(|it| &it.statements).cloned().collect()
}

/// The phase of these operations alone.
///
/// # Errors
/// [`Refusal`] where one of them fails as it was written.
pub(crate) fn phases(operations: &[&Operation], scene: &Scene<'_>) -> Phases {
    let mut catalog = scene.catalog.clone();
    let mut statements = Vec::new();
    for operation in operations {
        let effect = effect::of(operation, scene.target, &catalog, &Session::default());
        if let Some(why) = effect.fails {
            return Err(Refusal::new(format!("as it was written it fails: {why}")));
        }
        catalog.apply(operation);
        let own = scene.statement_of(operation);
        let inverse = own.inverse.as_deref().map(|it| vec![it.clone()]);
        statements.push(Standing { statements: vec![own], inverse, transactional: effect.transactional });
    }
    Ok(in_window("in_window", &statements, &[], scene.dialect()))
}
