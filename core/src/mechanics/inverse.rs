//! The way back from a statement that somebody wrote, where what was there before is known.

use crate::catalog::{Catalog, ColumnState, RelationKind, Setting};
use crate::operation::{
    AlterSequence, AlterTable, Comment, Constraint, CreateFunction, CreateTrigger, CreateView, Grant, Kind,
    ObjectKind, Operation, RelationWord, TableAction,
};
use crate::plan::{Act, Statement};

use super::details;
use super::make::{self, Build, On};

/// The way back from an operation; `None` where none is known. `catalog` is the schema before it.
pub fn inverse(operation: &Operation, catalog: &Catalog) -> Option<Statement> {
    let is_there = |name| catalog.relation(&catalog.resolve(name)).is_some();
    match &operation.kind {
        Kind::CreateTable(create) if !is_there(&create.name) => {
            Some(make::drop(ObjectKind::Table, create.name.clone()))
        }
        Kind::CreateIndex(index) => {
            let build = if index.concurrently { Build::Concurrent } else { Build::Plain };
            let name = index.table.sibling(index.name.as_ref()?.name.clone());
            // One that was there stays.
            (!is_there(&name)).then(|| make::drop_index(name, build, false))
        }
        Kind::CreateView(view) if !is_there(&view.name) => {
            let kind = if view.materialized { ObjectKind::MaterializedView } else { ObjectKind::View };
            Some(make::drop(kind, view.name.clone()))
        }
        Kind::CreateView(view) if view.or_replace => replaced(view, catalog),
        // Rows of a table that the migration makes go with it.
        Kind::Insert(_) | Kind::Update(_) | Kind::Delete(_) => {
            let table = catalog.resolve(operation.relation()?);
            (catalog.is_new(&table) && !catalog.is_temporary(&table)).then(make::nothing)
        }
        Kind::CreateSequence(it) if !is_there(&it.name) => {
            Some(make::drop(ObjectKind::Sequence, it.name.clone()))
        }
        Kind::Drop(it) if it.if_exists && is_of_relations(it.object) && catalog.is_complete() => {
            (!it.names.iter().any(is_there)).then(make::nothing)
        }
        Kind::CreateType(it) => Some(make::drop(ObjectKind::Type, it.name.clone())),
        Kind::CreateDomain(it) => Some(make::drop(ObjectKind::Domain, it.name.clone())),
        Kind::CreateFunction(it) => function(it),
        Kind::CreateTrigger(it) => trigger(it),
        Kind::AlterTable(alter) => of_table(alter, catalog),
        Kind::AlterSequence(it) => sequence(it, catalog),
        Kind::Comment(it) => comment(it, catalog),
        Kind::Grant(it) => grant(it, catalog),
        _ => None,
    }
}

/// Whether the catalog has all objects of a kind.
fn is_of_relations(object: ObjectKind) -> bool {
    use ObjectKind::{Index, MaterializedView, Sequence, Table, View};
    matches!(object, Table | View | MaterializedView | Index | Sequence)
}

/// A view as it was before another took its place: that one may show more, which a view in its place cannot show less.
fn replaced(view: &CreateView, catalog: &Catalog) -> Option<Statement> {
    let name = catalog.resolve(&view.name);
    let old = catalog.view(&name).filter(|it| !it.materialized && !it.stale && !it.unclear)?;
    if old.columns.is_some() && view.shows(catalog.dialect()) == old.columns {
        return Some(make::replace_view(view.name.clone(), &old.head, &old.query.text));
    }
    if !catalog.views_on(&name).is_empty() {
        return None;
    }
    let mut again = vec![
        make::drop(ObjectKind::View, view.name.clone()),
        make::create_view(view.name.clone(), &old.head, &old.query.text),
    ];
    let own = catalog.details(&name)?;
    again.extend(details::rights(&own.rights, &view.name, None));
    again.extend(details::comment(own, ObjectKind::View, &view.name, None));
    Some(Statement::of(Act::Together(again)))
}

/// The type or the owner that a sequence had before. How it counted besides nobody knows.
fn sequence(it: &AlterSequence, catalog: &Catalog) -> Option<Statement> {
    let RelationKind::Sequence(before) = &catalog.relation(&catalog.resolve(&it.name))?.kind else {
        return None;
    };
    let counts = it.restarts || !it.options.is_empty();
    match (&it.ty, it.owned_by.is_some() || it.disowned) {
        (Some(_), false) if !counts => {
            Some(make::own_sequence(it.name.clone(), Some(before.ty.clone()), None))
        }
        (None, true) if !counts => {
            let owner = before
                .owned_by
                .as_ref()
                .map(|(table, column)| (make::name(table, catalog.dialect()), column.as_str()));
            Some(make::own_sequence(it.name.clone(), None, owner))
        }
        _ => None,
    }
}

fn function(it: &CreateFunction) -> Option<Statement> {
    // Of other functions the arguments tell which one it is.
    (!it.or_replace && it.returns_trigger).then(|| make::drop_function(it.name.clone(), None))
}

fn trigger(it: &CreateTrigger) -> Option<Statement> {
    (!it.or_replace)
        .then(|| On { name: it.table.clone(), word: RelationWord::Table }.drop_trigger(&it.name.name))
}

fn of_table(alter: &AlterTable, catalog: &Catalog) -> Option<Statement> {
    let on = On { name: alter.table.clone(), word: alter.relation };
    let table = catalog.table(&catalog.resolve(&alter.table));
    let before = |column: &str| -> Option<&ColumnState> { table?.column(column) };
    match &alter.action {
        TableAction::AddColumn { column, .. } => {
            before(&column.name.name).is_none().then(|| on.drop_column(&column.name.name, false))
        }
        TableAction::AddConstraint { constraint } => {
            Some(on.drop_constraint(&constraint.name.as_ref()?.name))
        }
        TableAction::SetDefault { column, .. } | TableAction::DropDefault { column } => {
            Some(match before(&column.name)?.default.as_ref() {
                Some(default) => on.set_default(&column.name, default.text.clone()),
                None => on.drop_default(&column.name),
            })
        }
        TableAction::DropNotNull { column } => {
            let state = before(&column.name)?;
            Some(if state.not_null { on.set_not_null(&column.name) } else { make::nothing() })
        }
        TableAction::SetNotNull { column } => {
            let state = before(&column.name)?;
            Some(if state.not_null { make::nothing() } else { on.drop_not_null(&column.name) })
        }
        // What is not there does not go.
        TableAction::DropConstraint { name, if_exists: true, .. }
            if table.is_some_and(|it| it.constraint(&name.name).is_none()) && catalog.is_complete() =>
        {
            Some(make::nothing())
        }
        TableAction::DropColumn { column, if_exists: true, .. }
            if catalog.lacks_column(&catalog.resolve(&alter.table), &column.name) =>
        {
            Some(make::nothing())
        }
        TableAction::DropConstraint { name, .. } => {
            let state = table?.constraint(&name.name).filter(|it| !it.demand.has_index())?;
            Some(on.add(Constraint { not_valid: !state.valid, ..make::again(state, catalog.dialect())? }))
        }
        TableAction::RenameTo { to } => {
            let renamed = On { name: alter.table.sibling(to.name.clone()), word: alter.relation };
            let mut back = renamed.rename(&alter.table.name);
            if let Act::Operation(kind) = &mut back.act
                && let Kind::AlterTable(own) = &mut **kind
            {
                own.if_exists = alter.if_exists;
            }
            Some(back)
        }
        TableAction::RenameConstraint { name, to } => Some(on.rename_constraint(&to.name, &name.name)),
        _ => None,
    }
}

/// The comment that was there before, or none.
fn comment(it: &Comment, catalog: &Catalog) -> Option<Statement> {
    let name = catalog.resolve(&it.name);
    let text = match (it.object, &it.part) {
        (
            ObjectKind::Table | ObjectKind::View | ObjectKind::MaterializedView | ObjectKind::Sequence,
            None,
        ) => catalog.details(&name)?.get(&Setting::Comment),
        (ObjectKind::Column, Some(column)) => {
            catalog.table(&name)?.column(column)?.details.get(&Setting::Comment)
        }
        _ => return None,
    };
    Some(Kind::Comment(Comment { text: text.map(str::to_owned), ..it.clone() }).into())
}

/// Rights on tables that nobody had before.
fn grant(it: &Grant, catalog: &Catalog) -> Option<Statement> {
    let new = |table: &crate::dialect::Name| {
        let rights = catalog.details(&catalog.resolve(table)).map(|it| &it.rights);
        let has = |role: &String| rights.is_some_and(|it| it.contains_key(role));
        !it.roles.iter().any(has)
    };
    let whole = it.privileges.iter().all(|(_, columns)| columns.is_empty());
    (!it.revoke && !it.tables.is_empty() && whole && it.tables.iter().all(new))
        .then(|| Kind::Grant(Box::new(Grant { revoke: true, option: false, ..it.clone() })).into())
}
