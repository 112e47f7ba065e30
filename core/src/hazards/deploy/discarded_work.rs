//! An index or column is made here and thrown away again by a later migration of the same deploy.

use crate::catalog::RelationName;
use crate::dialect::Dialect;
use crate::hazards::{Deploy, Found, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, ObjectKind, Operation, TableAction};
use crate::text::Span;

/// An index or column is made here and thrown away again by a later migration of the same deploy.
pub(crate) static RULE: Rule = Rule {
    id: "discarded-work",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("discarded_work.md"),
    trigger: Trigger::Deploy(check),
};

/// Something that a migration makes on a table in use.
struct Made {
    migration: usize,
    table: RelationName,
    span: Span,
    what: What,
}

enum What {
    Index { name: RelationName, columns: Vec<String> },
    Column(String),
}

fn check(deploy: &Deploy<'_>) -> Vec<Found> {
    let mut made: Vec<Made> = Vec::new();
    let mut found = Vec::new();
    for (number, migration) in deploy.migrations.iter().enumerate() {
        for operation in migration.operations() {
            let mut lost = None;
            made.retain(|it| {
                let end = end_of(it, operation, deploy).filter(|_| it.migration < number);
                let Some(end) = end else { return true };
                lost =
                    Some(Found { migration: it.migration, hazard: hazard(it, end, migration.name, deploy) });
                false
            });
            found.extend(lost);
        }
        made.extend(migration.operations().filter_map(|it| made_by(it, number, deploy)));
    }
    found
}

fn hazard(made: &Made, end: &str, file: &str, deploy: &Deploy<'_>) -> Hazard {
    let table = made.table.display(deploy.before.dialect());
    let message = match &made.what {
        What::Index { name, .. } => {
            format!("{} is built on {table}, and {end} by {file} in the same deploy", name.name)
        }
        What::Column(column) => format!("{table}.{column} comes, and {end} by {file} in the same deploy"),
    };
    Hazard::new(&RULE, made.span, message)
}

fn made_by(operation: &Operation, migration: usize, deploy: &Deploy<'_>) -> Option<Made> {
    let before = deploy.before;
    let in_use = |table: &RelationName| before.table(table).is_some() || !before.is_complete();
    let (table, span, what) = match &operation.kind {
        Kind::CreateIndex(index) => {
            let table = before.resolve(&index.table);
            let named = index.name.as_ref()?;
            let name = RelationName { schema: table.schema.clone(), name: named.name.as_str().into() };
            let columns =
                index.keys.iter().filter_map(|key| Some(key.column.as_ref()?.name.clone())).collect();
            (table, named.span, What::Index { name, columns })
        }
        Kind::AlterTable(alter) => {
            let TableAction::AddColumn { column, .. } = &alter.action else { return None };
            (before.resolve(&alter.table), column.name.span, What::Column(column.name.name.clone()))
        }
        _ => return None,
    };
    in_use(&table).then_some(Made { migration, table, span, what })
}

/// How an operation undoes what was made, in words.
fn end_of(made: &Made, operation: &Operation, deploy: &Deploy<'_>) -> Option<&'static str> {
    let before = deploy.before;
    match (&operation.kind, &made.what) {
        (Kind::Drop(drop), What::Index { name, .. }) if drop.object == ObjectKind::Index => {
            drop.names.iter().any(|it| before.resolve(it) == *name).then_some("is dropped again")
        }
        (Kind::Drop(drop), _) if drop.object == ObjectKind::Table => {
            drop.names.iter().any(|it| before.resolve(it) == made.table).then_some("goes with its table")
        }
        (Kind::AlterTable(alter), what) if before.resolve(&alter.table) == made.table => {
            match (&alter.action, what) {
                (TableAction::DropColumn { column, .. }, What::Column(own)) => {
                    (column.name == *own).then_some("is dropped again")
                }
                (TableAction::DropColumn { column, .. }, What::Index { columns, .. }) => {
                    columns.contains(&column.name).then_some("is dropped with its column")
                }
                _ => None,
            }
        }
        _ => None,
    }
}
