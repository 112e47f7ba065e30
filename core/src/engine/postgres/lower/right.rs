//! GRANT, REVOKE and ALTER DEFAULT PRIVILEGES.

use super::routine;
use crate::operation::{DefaultPrivileges, Grant, Kind, ObjectKind};
use crate::statement::Cursor;

/// Reads everything behind GRANT or REVOKE.
pub(super) fn grant(mut cursor: Cursor<'_>, revoke: bool) -> Kind {
    Kind::Grant(Box::new(read(&mut cursor, revoke)))
}

/// Reads everything behind ALTER DEFAULT PRIVILEGES.
pub(super) fn default_privileges(mut cursor: Cursor<'_>) -> Kind {
    let (mut roles, mut schemas) = (Vec::new(), Vec::new());
    loop {
        if cursor.eat_all("for role") || cursor.eat_all("for user") {
            roles = names(&mut cursor);
        } else if cursor.eat_all("in schema") {
            schemas = names(&mut cursor);
        } else {
            break;
        }
    }
    let revoke = cursor.eat("revoke");
    cursor.eat("grant");
    let grant = read(&mut cursor, revoke);
    Kind::DefaultPrivileges(Box::new(DefaultPrivileges { roles, schemas, grant }))
}

fn read(cursor: &mut Cursor<'_>, revoke: bool) -> Grant {
    let mut grant = Grant {
        revoke,
        tables: Vec::new(),
        object: None,
        objects: Vec::new(),
        schemas: Vec::new(),
        privileges: Vec::new(),
        roles: Vec::new(),
        option: revoke && cursor.eat_all("grant option for"),
    };
    let first = cursor.index();
    if cursor.seek(&["on"]) {
        grant.privileges = privileges(&cursor.part(first, cursor.index()));
        cursor.next_token();
        on(cursor, &mut grant);
    }
    if cursor.seek(&["to", "from"]) {
        cursor.next_token();
        grant.roles = names(cursor);
    }
    grant.option |= cursor.has(&["option"]) && !revoke;
    grant
}

/// The privileges in lower case, each with its columns.
fn privileges(cursor: &Cursor<'_>) -> Vec<(String, Vec<String>)> {
    let each = cursor.segments().into_iter().filter_map(|mut segment| {
        let word = segment.ident()?.name;
        segment.eat("privileges");
        let columns = super::columns(&mut segment).into_iter().map(|column| column.name).collect();
        Some((word, columns))
    });
    each.collect()
}

fn on(cursor: &mut Cursor<'_>, grant: &mut Grant) {
    if cursor.eat("all") {
        grant.object = plural(cursor);
        cursor.eat_all("in schema");
        grant.schemas = idents(cursor);
        return;
    }
    if let Some(object) = plural(cursor) {
        // What objects made later are granted.
        grant.object = Some(object);
        return;
    }
    let object = super::drop::object_kind(&mut cursor.clone()).filter(|_| !cursor.is_at(1, "."));
    let named = cursor.is_at(1, "to") || cursor.is_at(1, "from") || cursor.is_at(1, ",");
    if let Some(object) = object.filter(|_| !named) {
        super::drop::object_kind(cursor);
        grant.object = Some(object);
    } else {
        grant.object = Some(ObjectKind::Table);
    }
    while let Some(name) = cursor.name() {
        let takes = cursor.group().map(|group| routine::types(&group));
        grant.objects.push((name, takes));
        if cursor.eat_kind(crate::statement::TokenKind::Comma).is_none() {
            break;
        }
    }
    if matches!(grant.object, Some(ObjectKind::Table | ObjectKind::Sequence)) {
        grant.tables = grant.objects.iter().map(|(name, _)| name.clone()).collect();
    }
}

fn plural(cursor: &mut Cursor<'_>) -> Option<ObjectKind> {
    let word = ["tables", "sequences", "functions", "procedures", "routines", "types", "schemas"];
    if !(cursor.is_at(1, "to") || cursor.is_at(1, "from") || cursor.is_at(1, "in")) {
        return None;
    }
    Some(match cursor.eat_any(&word)? {
        "tables" => ObjectKind::Table,
        "sequences" => ObjectKind::Sequence,
        "types" => ObjectKind::Type,
        "schemas" => ObjectKind::Schema,
        _ => ObjectKind::Function,
    })
}

fn idents(cursor: &mut Cursor<'_>) -> Vec<crate::dialect::Ident> {
    let mut found = Vec::new();
    while let Some(ident) = cursor.ident() {
        found.push(ident);
        if cursor.eat_kind(crate::statement::TokenKind::Comma).is_none() {
            break;
        }
    }
    found
}

fn names(cursor: &mut Cursor<'_>) -> Vec<String> {
    let mut found = Vec::new();
    loop {
        cursor.eat("group");
        let Some(ident) = cursor.ident() else { return found };
        found.push(ident.name);
        if cursor.eat_kind(crate::statement::TokenKind::Comma).is_none() {
            return found;
        }
    }
}
