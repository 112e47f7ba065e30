//! `textDocument/prepareRename` and `textDocument/rename`: a new name is a change of the schema, so it becomes a migration. What the document itself makes is
//! not there yet, and is renamed where it stands.

use lockkeeper_core::catalog::{Catalog, RelationKind, RelationName};
use lockkeeper_core::dialect::{Name, quote};
use lockkeeper_core::framework::{self, NewMigration};
use lockkeeper_core::text::Edit;
use lockkeeper_project::analysis::origins::{Change, Object};
use lockkeeper_project::folder::Folder;
use tower_lsp::jsonrpc::{Error, Result};
use tower_lsp::lsp_types::{Position, PrepareRenameResponse, WorkspaceEdit};

use super::references::spans_here;
use crate::convert::{creations, file_edit};
use crate::documents::Documents;
use crate::names::places;
use crate::world::{View, World, now};

/// The longest name in bytes; the server cuts others.
const LONGEST: usize = 63;

pub(crate) fn prepare(view: &View, at: Position) -> Option<PrepareRenameResponse> {
    let (object, span) = view.object_at(view.offset(at))?;
    Some(PrepareRenameResponse::RangeWithPlaceholder {
        range: view.range(span),
        placeholder: object.name().to_owned(),
    })
}

pub(crate) fn rename(
    world: &World,
    documents: &Documents,
    view: &View,
    at: Position,
    new: &str,
) -> Result<Option<WorkspaceEdit>> {
    let Some((object, _)) = view.object_at(view.offset(at)) else { return Ok(None) };
    let new = new.trim();
    if new.is_empty() || new.len() > LONGEST || new.chars().any(char::is_control) {
        return Err(refused(format!("a name has 1 to {LONGEST} bytes, all of which can be seen")));
    }
    let dialect = view.file().target.dialect;
    if is_made_here(world, documents, view, &object) {
        let edits: Vec<Edit> = spans_here(view, &object)
            .into_iter()
            .map(|span| Edit { span, replacement: quote(new, dialect) })
            .collect();
        return Ok(Some(file_edit(view, &edits)));
    }
    let schema = latest(view);
    let renamed = sql(schema, &object, new).ok_or_else(|| {
        refused(format!("{} is not there any more when all migrations have run", object.name()))
    })?;
    if is_taken(schema, &object, new) {
        return Err(refused(format!("there is a {new} already")));
    }
    let back =
        sql_of(schema, &with_name(&object, new), &quote(object.name(), dialect), kind(schema, &object));
    let back = back.ok_or_else(|| refused("it cannot be renamed".to_owned()))?;
    let name = format!("rename_{}_to_{}", in_a_file_name(object.name()), in_a_file_name(new));
    new_migration(view, &name, &renamed, &back).map(Some)
}

fn refused(message: String) -> Error {
    Error { message: message.into(), ..Error::invalid_params("") }
}

/// Whether the document makes it, and has not run anywhere yet, as far as files show.
fn is_made_here(world: &World, documents: &Documents, view: &View, object: &Object) -> bool {
    let loaded = &view.analysis.loaded;
    let has_place = |it: &Folder| it.find(&view.analysis.standing.path).is_some();
    let is_read = loaded.opened.project.folders.iter().any(has_place);
    if is_read && !loaded.pending(world).contains(&view.document.uri) {
        return false;
    }
    let found = places(world, documents, view, object);
    let made = found.iter().rfind(|it| it.change == Change::Made);
    made.is_some_and(|it| it.location.uri == view.document.uri)
}

/// The schema behind all migrations: that is where a new one runs.
fn latest(view: &View) -> &Catalog {
    let opened = &view.analysis.loaded.opened;
    match view.analysis.standing.place() {
        Some((folder, _)) => opened.history(folder).after(),
        None => &view.file().before,
    }
}

fn kind<'a>(schema: &'a Catalog, object: &Object) -> Option<&'a RelationKind> {
    let Object::Relation(name) = object else { return None };
    schema.relation(name).map(|it| &it.kind)
}

/// `ALTER TABLE users RENAME COLUMN name TO full_name`, where there is such a thing.
fn sql(schema: &Catalog, object: &Object, new: &str) -> Option<String> {
    let is_there = match object {
        Object::Relation(name) => schema.relation(name).is_some(),
        Object::Column(table, name) => schema.table(table)?.column(name).is_some(),
        Object::Constraint(table, name) => schema.table(table)?.constraint(name).is_some(),
        Object::Type(name) => schema.types().any(|(own, _)| own == name),
    };
    sql_of(schema, object, &quote(new, schema.dialect()), kind(schema, object)).filter(|_| is_there)
}

fn sql_of(schema: &Catalog, object: &Object, to: &str, kind: Option<&RelationKind>) -> Option<String> {
    let dialect = schema.dialect();
    let own = quote(object.name(), dialect);
    Some(match object {
        Object::Relation(name) => {
            let word = match kind? {
                RelationKind::Table(_) => "TABLE",
                RelationKind::Index(_) => "INDEX",
                RelationKind::View(view) if view.materialized => "MATERIALIZED VIEW",
                RelationKind::View(_) => "VIEW",
                RelationKind::Sequence(_) => "SEQUENCE",
            };
            format!("ALTER {word} {} RENAME TO {to};\n", name.sql(dialect))
        }
        Object::Column(table, _) => {
            format!("ALTER TABLE {} RENAME COLUMN {own} TO {to};\n", table.sql(dialect))
        }
        Object::Constraint(table, _) => {
            format!("ALTER TABLE {} RENAME CONSTRAINT {own} TO {to};\n", table.sql(dialect))
        }
        Object::Type(name) => format!("ALTER TYPE {} RENAME TO {to};\n", name.sql(dialect)),
    })
}

fn with_name(object: &Object, new: &str) -> Object {
    let beside = |it: &RelationName| RelationName { schema: it.schema.clone(), name: new.into() };
    match object {
        Object::Relation(name) => Object::Relation(beside(name)),
        Object::Type(name) => Object::Type(beside(name)),
        Object::Column(table, _) => Object::Column(table.clone(), new.into()),
        Object::Constraint(table, _) => Object::Constraint(table.clone(), new.into()),
    }
}

fn is_taken(schema: &Catalog, object: &Object, new: &str) -> bool {
    match with_name(object, new) {
        Object::Relation(name) => schema.relation(&name).is_some(),
        Object::Column(table, name) => schema.table(&table).is_some_and(|it| it.column(&name).is_some()),
        Object::Constraint(table, name) => {
            schema.table(&table).is_some_and(|it| it.constraint(&name).is_some())
        }
        Object::Type(name) => schema.type_named(&Name::qualified(&*name.schema, &*name.name)).is_some(),
    }
}

fn in_a_file_name(name: &str) -> String {
    name.chars().map(|it| if it.is_ascii_alphanumeric() { it.to_ascii_lowercase() } else { '_' }).collect()
}

/// A migration of the project's framework behind all others, which shows what it breaks as soon as it is open.
fn new_migration(view: &View, name: &str, up: &str, down: &str) -> Result<WorkspaceEdit> {
    let project = &view.analysis.loaded.opened.project;
    let say = || refused(format!("write a new migration with: {}", up.trim()));
    let (folder, _) = view.analysis.standing.place().ok_or_else(say)?;
    let folder = &project.folders[folder];
    let new = NewMigration { name, up, down: Some(down), transactional: true };
    let spelled = framework::spell(folder.framework, &folder.existing(), now(), &[new]);
    let spelled =
        spelled.map_err(|error| refused(format!("{error}: write a new migration with: {}", up.trim())))?;
    let path =
        |path: &str| if folder.path.is_empty() { path.to_owned() } else { format!("{}/{path}", folder.path) };
    let files: Vec<(String, String)> =
        spelled.into_iter().flatten().map(|it| (path(&it.path), it.content)).collect();
    creations(view, &files).ok_or_else(say)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lockkeeper_core::dialect::Dialect;

    #[test]
    fn names_of_files_have_plain_letters() {
        assert_eq!(in_a_file_name("Größe \"x\"/../y"), "gr__e__x_____y");
        assert_eq!(quote("select", Dialect::Postgres), "\"select\"");
    }
}
