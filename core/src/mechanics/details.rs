//! What hangs on a relation or column beside what it is made of, given to what takes its place: rights, comments, settings of columns.

use crate::catalog::{Catalog, Details, RelationName, Rights, Setting, Table};
use crate::dialect::Name;
use crate::operation::{Comment, Grant, Kind, ObjectKind, TableAction};
use crate::plan::Statement;

use super::make::{self, On};

/// Rights as statements, on a whole relation or on one of its columns.
pub(crate) fn rights(rights: &Rights, on: &Name, column: Option<&str>) -> Vec<Statement> {
    let mut statements = Vec::new();
    for (role, privileges) in rights {
        for option in [false, true] {
            let own = privileges.iter().filter(|(_, it)| **it == option);
            let columns: Vec<String> = column.map(str::to_owned).into_iter().collect();
            let own: Vec<_> = own.map(|(privilege, _)| (privilege.clone(), columns.clone())).collect();
            if own.is_empty() {
                continue;
            }
            let grant = |revoke| {
                Kind::Grant(Box::new(Grant {
                    revoke,
                    tables: vec![on.clone()],
                    object: Some(ObjectKind::Table),
                    objects: Vec::new(),
                    schemas: Vec::new(),
                    privileges: own.clone(),
                    roles: vec![role.clone()],
                    option: option && !revoke,
                }))
            };
            statements.push(Statement::from(grant(false)).undone_by(Statement::from(grant(true))));
        }
    }
    statements
}

/// A comment as a statement.
pub(crate) fn comment(
    details: &Details,
    object: ObjectKind,
    on: &Name,
    part: Option<&str>,
) -> Option<Statement> {
    let said = |text: Option<String>| {
        let (name, part) = (on.clone(), part.map(str::to_owned));
        Statement::from(Kind::Comment(Comment { object, name, part, takes: None, text }))
    };
    let text = details.get(&Setting::Comment)?.to_owned();
    Some(said(Some(text)).undone_by(said(None)))
}

/// All that hangs on a column, as statements about another one of the table.
pub(crate) fn of_column(details: &Details, on: &On, column: &str) -> Vec<Statement> {
    let mut statements = Vec::new();
    let own = || make::ident(column);
    let mut options = Vec::new();
    for (setting, value) in &details.settings {
        let action = match setting {
            Setting::Statistics => TableAction::SetStatistics { column: Some(own()), target: value.clone() },
            Setting::Storage => TableAction::SetStorage { column: own(), storage: value.clone() },
            Setting::Compression => TableAction::SetCompression { column: own(), method: value.clone() },
            Setting::Option(name) => {
                options.push((name.clone(), Some(value.clone())));
                continue;
            }
            _ => continue,
        };
        statements.push(on.does(action));
    }
    if !options.is_empty() {
        statements.push(on.does(TableAction::SetColumnOptions { column: own(), options }));
    }
    statements.extend(comment(details, ObjectKind::Column, &on.name, Some(column)));
    statements.extend(rights(&details.rights, &on.name, Some(column)));
    statements
}

/// What LIKE leaves behind of a table, as statements about its copy: rights and the comment of the table, rights, statistics and options of its columns.
pub(crate) fn of_copy(catalog: &Catalog, table: &RelationName, state: &Table, on: &On) -> Vec<Statement> {
    let own = catalog.details(table);
    let mut statements = own.map(|it| rights(&it.rights, &on.name, None)).unwrap_or_default();
    statements.extend(own.and_then(|it| comment(it, ObjectKind::Table, &on.name, None)));
    for column in &state.columns {
        let copied =
            |setting: &Setting| matches!(setting, Setting::Storage | Setting::Compression | Setting::Comment);
        let mut details = column.details.clone();
        details.settings.retain(|setting, _| !copied(setting));
        statements.extend(of_column(&details, on, &column.name));
    }
    statements
}
