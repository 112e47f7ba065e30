//! What the server calls the keys of an index that are expressions: their names stand in that of an index which nobody named.

use super::IndexColumn;
use crate::dialect::Dialect;
use crate::operation::canonical_type as canonical;
use crate::statement::{Cursor, Script, TokenKind};

/// What stands in the name of an index for each of its keys.
pub(super) fn index_name_columns(keys: &[IndexColumn], dialect: Dialect) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for key in keys {
        let name = key.column.clone().unwrap_or_else(|| expression_name(&key.text.text, dialect));
        let taken = |candidate: &str| names.iter().any(|it| it == candidate);
        let mut candidate = name.clone();
        let mut number = 0;
        while taken(&candidate) {
            number += 1;
            candidate = format!("{name}{number}");
        }
        names.push(candidate);
    }
    names
}

/// The column or function that an expression is about, else `expr`.
fn expression_name(text: &str, dialect: Dialect) -> String {
    let script = Script::read(text, dialect);
    // Behind the function or the brackets stand the collation, the class and the order.
    let named = primary(&mut Cursor::new(text, dialect, &script.tokens));
    named.map_or_else(|| "expr".to_owned(), |it| it.name)
}

/// A name, and whether a cast around it gives another one.
struct Named {
    name: String,
    strong: bool,
}

impl Named {
    fn strong(name: impl Into<String>) -> Option<Self> {
        Some(Self { name: name.into(), strong: true })
    }

    fn weak(name: impl Into<String>) -> Option<Self> {
        Some(Self { name: name.into(), strong: false })
    }
}

/// The name of an expression (`FigureColnameInternal`; compared with servers by `tests/src/keys.rs`).
fn named(mut cursor: Cursor<'_>) -> Option<Named> {
    if cursor.is("not") {
        return None;
    }
    let mut name = primary(&mut cursor);
    while !cursor.at_end() {
        if cursor.eat("::") {
            let ty = type_name(&mut cursor)?;
            name = name.filter(|it| it.strong).or_else(|| Named::weak(ty));
        } else if cursor.eat("collate") {
            cursor.name()?;
        } else if cursor.is("[") {
            cursor.skip();
        } else {
            // An operator makes a value that has no name.
            return None;
        }
    }
    name
}

fn primary(cursor: &mut Cursor<'_>) -> Option<Named> {
    if let Some(group) = cursor.group() {
        return named(group);
    }
    if cursor.is("case") {
        return case(cursor);
    }
    if cursor.eat("array") {
        cursor.skip();
        return Named::weak("array");
    }
    if cursor.eat("cast") {
        return cast(cursor.group()?);
    }
    if cursor.peek_kind().is_some_and(|it| !matches!(it, TokenKind::Word | TokenKind::Quoted)) {
        cursor.next_token();
        return None;
    }
    let Some(name) = cursor.name() else {
        cursor.next_token();
        return None;
    };
    let Some(arguments) = cursor.group() else { return Named::strong(name.name) };
    Named::strong(match name.name.as_str() {
        // What the parser makes of these.
        "trim" if arguments.is("leading") => "ltrim".to_owned(),
        "trim" if arguments.is("trailing") => "rtrim".to_owned(),
        "trim" => "btrim".to_owned(),
        _ => name.name,
    })
}

/// `CASE … ELSE value END` is named by the last value.
fn case(cursor: &mut Cursor<'_>) -> Option<Named> {
    let start = cursor.index();
    let (mut depth, mut other) = (0_usize, None);
    while !cursor.at_end() {
        if cursor.is("case") {
            depth += 1;
        } else if cursor.is("end") {
            depth -= 1;
        } else if cursor.is("else") && depth == 1 {
            other = Some(cursor.index() + 1 - start);
        }
        cursor.next_token();
        if depth == 0 {
            break;
        }
    }
    let whole = cursor.part(start, cursor.index());
    let value = other.and_then(|at| named(whole.part(at, whole.tokens().len() - 1)));
    value.filter(|it| it.strong).or_else(|| Named::weak("case"))
}

/// `CAST (value AS type)`
fn cast(inside: Cursor<'_>) -> Option<Named> {
    let mut ahead = inside;
    ahead.seek(&["as"]).then_some(())?;
    let value = named(inside.part(0, ahead.index()));
    ahead.next_token();
    let ty = type_name(&mut ahead)?;
    value.filter(|it| it.strong).or_else(|| Named::weak(ty))
}

/// The name that the server has for a type.
fn type_name(cursor: &mut Cursor<'_>) -> Option<String> {
    let mut name = cursor.name()?.name;
    if name == "double" && cursor.eat("precision") {
        name = "float8".to_owned();
    } else if matches!(name.as_str(), "character" | "char") && cursor.eat("varying") {
        name = "varchar".to_owned();
    }
    cursor.group();
    if cursor.eat_all("with time zone") {
        name.push_str("tz");
    } else {
        cursor.eat_all("without time zone");
    }
    while cursor.is("[") {
        cursor.skip();
    }
    Some(canonical(&name).to_owned())
}
