//! The old goes in the deploy that brings the new, so that no release between them can move over.

use crate::catalog::{Catalog, RelationName};
use crate::dialect::Dialect;
use crate::hazards::{Deploy, Found, Hazard, Pending, Rule, Severity, Trigger};
use crate::operation::{Kind, ObjectKind, Operation, TableAction, TypeName};
use crate::text::Span;

/// The old goes in the deploy that brings the new, so that no release between them can move over.
pub(crate) static RULE: Rule = Rule {
    id: "contract-with-expand",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("contract_with_expand.md"),
    trigger: Trigger::Deploy(check),
};

fn check(deploy: &Deploy<'_>) -> Vec<Found> {
    let mut found = steps_of_a_plan(deploy);
    let mut added: Vec<Added> = Vec::new();
    for (number, migration) in deploy.migrations.iter().enumerate() {
        let planned = step(migration).is_some();
        for operation in migration.operations() {
            let taken = replaced(operation, &added, number, deploy).filter(|_| !planned);
            found.extend(taken.map(|hazard| Found { migration: number, hazard }));
        }
        let catalog = deploy.before;
        added.extend(migration.operations().filter_map(|it| added_by(it, number, catalog)));
        for operation in migration.operations() {
            note_source(operation, &mut added, migration, catalog);
        }
    }
    found
}

/// A column or table that a migration of the deploy brings.
struct Added {
    migration: usize,
    table: RelationName,
    /// `None` for a whole table.
    column: Option<(String, TypeName)>,
    /// The text of what fills it.
    sources: Vec<String>,
}

fn added_by(operation: &Operation, migration: usize, before: &Catalog) -> Option<Added> {
    match &operation.kind {
        Kind::AlterTable(alter) => {
            let TableAction::AddColumn { column, .. } = &alter.action else { return None };
            let table = before.resolve(&alter.table);
            let new = before.table(&table).is_none_or(|it| it.column(&column.name.name).is_none());
            let column = Some((column.name.name.clone(), column.ty.clone()));
            new.then(|| Added { migration, table, column, sources: Vec::new() })
        }
        Kind::CreateTable(create) if !create.temporary => {
            let table = before.resolve(&create.name);
            let sources = create.query.iter().map(|query| query.text.to_lowercase()).collect();
            before.relation(&table).is_none().then_some(Added { migration, table, column: None, sources })
        }
        _ => None,
    }
}

/// Remembers what fills the new columns and tables: a backfill, a trigger that keeps both in step.
fn note_source(operation: &Operation, added: &mut [Added], migration: &Pending<'_>, before: &Catalog) {
    let (table, columns) = match &operation.kind {
        Kind::Update(update) => (&update.table, Some(&update.columns)),
        Kind::Insert(insert) => (&insert.table, None),
        _ => return,
    };
    let table = before.resolve(table);
    let text = operation.span.of(migration.text).to_lowercase();
    for it in added.iter_mut().filter(|it| it.table == table) {
        let fills = match (&it.column, columns) {
            (Some((name, _)), Some(columns)) => columns.iter().any(|column| column.name == *name),
            (None, None) => true,
            _ => false,
        };
        if fills {
            it.sources.push(text.clone());
        }
    }
}

/// What an operation drops, where an earlier migration of the deploy brought what takes its place.
fn replaced(operation: &Operation, added: &[Added], migration: usize, deploy: &Deploy<'_>) -> Option<Hazard> {
    let before = deploy.before;
    let earlier = || added.iter().filter(|it| it.migration < migration);
    let (span, old, new) = match &operation.kind {
        Kind::AlterTable(alter) => {
            let TableAction::DropColumn { column, .. } = &alter.action else { return None };
            let table = before.resolve(&alter.table);
            let ty = &before.table(&table)?.column(&column.name)?.ty;
            let takes_over = |it: &&Added| {
                let Some((_, new)) = it.column.as_ref().filter(|_| it.table == table) else { return false };
                mentions(&it.sources, &column.name) || it.sources.is_empty() && new.is_same(ty)
            };
            let new = earlier().find(takes_over)?;
            let old = format!("{}.{column}", table.display(before.dialect()));
            (column.span, old, new)
        }
        Kind::Drop(drop) if drop.object == ObjectKind::Table => {
            let name = drop.names.iter().find(|it| before.table_named(it).is_some())?;
            let new = earlier().find(|it| mentions(&it.sources, &name.name))?;
            (name.span, name.to_string(), new)
        }
        _ => return None,
    };
    let table = new.table.display(before.dialect());
    let new_name =
        new.column.as_ref().map_or_else(|| table.clone(), |(column, _)| format!("{table}.{column}"));
    let file = deploy.migrations[new.migration].name;
    let message = format!(
        "{old} goes in the deploy that brings {new_name} ({file}): no release between them can move over"
    );
    Some(Hazard::new(&RULE, span, message))
}

fn mentions(texts: &[String], name: &str) -> bool {
    let name = name.to_lowercase();
    texts.iter().any(|text| text.split(|it: char| !(it.is_alphanumeric() || it == '_')).any(|it| it == name))
}

/// The place of a file in a plan that we wrote, as its first comment says: `Step 2 of 5 (backfill)`.
struct Step<'a> {
    number: u32,
    count: u32,
    phase: &'a str,
    /// A release of the application comes first.
    after_release: bool,
}

pub(super) fn is_planned(migration: &Pending<'_>) -> bool {
    step(migration).is_some()
}

fn step<'a>(migration: &Pending<'a>) -> Option<Step<'a>> {
    let comments = || migration.comments.iter().map(|span| span.of(migration.text));
    let after_release = comments().any(|comment| comment.starts_with("-- Before it: released:"));
    comments().find_map(|comment| {
        let (number, rest) = comment.strip_prefix("-- Step ")?.split_once(" of ")?;
        let (count, rest) = rest.split_once(" (")?;
        let (phase, _) = rest.split_once(')')?;
        Some(Step { number: number.parse().ok()?, count: count.parse().ok()?, phase, after_release })
    })
}

/// Steps of one plan that must wait for a release, and do not.
fn steps_of_a_plan(deploy: &Deploy<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    let mut earlier: Vec<(Step<'_>, &str)> = Vec::new();
    for (number, migration) in deploy.migrations.iter().enumerate() {
        let Some(step) = step(migration) else { continue };
        let before = earlier.iter().rev().find(|(it, _)| it.count == step.count && it.number < step.number);
        if let Some((other, file)) = before.filter(|_| step.after_release) {
            let message = format!(
                "step {} ({}) waits for a release, and would run in one deploy with step {} ({file})",
                step.number, step.phase, other.number
            );
            let span = migration.operations().next().map_or(Span::new(0, 0), |it| it.span);
            found.push(Found { migration: number, hazard: Hazard::new(&RULE, span, message) });
        }
        earlier.push((step, migration.name));
    }
    found
}
