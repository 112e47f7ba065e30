//! DROP.

use crate::operation::{Drop, Kind, ObjectKind};
use crate::statement::{Cursor, TokenKind};

/// Reads everything behind the word DROP.
pub(super) fn drop(mut cursor: Cursor<'_>) -> Option<Kind> {
    if cursor.is("owned") {
        return Some(Kind::Other("DROP OWNED".to_owned()));
    }
    let keyword = cursor.here();
    let object = object_kind(&mut cursor)?;
    let concurrently = object == ObjectKind::Index && cursor.eat("concurrently");
    let if_exists = cursor.eat_all("if exists");
    let (mut names, mut takes, mut arguments) = (Vec::new(), Vec::new(), None);
    while let Some(name) = cursor.name() {
        names.push(name);
        let group = cursor.group();
        takes.push(group.map(|group| super::routine::types(&group)));
        arguments = group.map(|it| it.span().of(it.text()).to_owned());
        if cursor.eat_kind(TokenKind::Comma).is_none() {
            break;
        }
    }
    let on_table = if cursor.eat("on") { Some(cursor.name()?) } else { None };
    let cascade = cursor.has(&["cascade"]);
    if names.is_empty() && object != ObjectKind::Else {
        return None;
    }
    Some(Kind::Drop(Drop {
        object,
        names,
        takes,
        on_table,
        concurrently,
        if_exists,
        cascade,
        arguments,
        keyword,
    }))
}

/// Reads the words for a kind of object.
pub(super) fn object_kind(cursor: &mut Cursor<'_>) -> Option<ObjectKind> {
    if cursor.eat_all("materialized view") {
        return Some(ObjectKind::MaterializedView);
    }
    if cursor.eat_all("foreign table") {
        return Some(ObjectKind::ForeignTable);
    }
    let (word, kind) = *KINDS.iter().find(|(word, _)| cursor.is(word))?;
    cursor.eat(word);
    Some(kind)
}

const KINDS: &[(&str, ObjectKind)] = &[
    ("table", ObjectKind::Table),
    ("index", ObjectKind::Index),
    ("view", ObjectKind::View),
    ("sequence", ObjectKind::Sequence),
    ("type", ObjectKind::Type),
    ("domain", ObjectKind::Domain),
    ("function", ObjectKind::Function),
    ("procedure", ObjectKind::Procedure),
    ("routine", ObjectKind::Routine),
    ("aggregate", ObjectKind::Aggregate),
    ("trigger", ObjectKind::Trigger),
    ("rule", ObjectKind::Rule),
    ("policy", ObjectKind::Policy),
    ("schema", ObjectKind::Schema),
    ("extension", ObjectKind::Extension),
    ("publication", ObjectKind::Publication),
    ("subscription", ObjectKind::Subscription),
    ("statistics", ObjectKind::Statistics),
    ("constraint", ObjectKind::Constraint),
    ("column", ObjectKind::Column),
    ("database", ObjectKind::Database),
    ("role", ObjectKind::Else),
    ("user", ObjectKind::Else),
    ("group", ObjectKind::Else),
    ("tablespace", ObjectKind::Else),
    ("cast", ObjectKind::Else),
    ("collation", ObjectKind::Else),
    ("conversion", ObjectKind::Else),
    ("operator", ObjectKind::Else),
    ("language", ObjectKind::Else),
    ("procedural", ObjectKind::Else),
    ("server", ObjectKind::Else),
    ("foreign", ObjectKind::Else),
    ("text", ObjectKind::Else),
    ("access", ObjectKind::Else),
    ("event", ObjectKind::Else),
    ("transform", ObjectKind::Else),
    ("large", ObjectKind::Else),
];
