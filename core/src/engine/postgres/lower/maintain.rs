//! VACUUM, ANALYZE, CLUSTER, REPACK, LOCK, TRUNCATE and COMMENT.

use super::drop::object_kind;
use crate::dialect::{LockMode, Name};
use crate::operation::{Comment, Kind, Lock, Maintain, Maintenance, ObjectKind, Truncate};
use crate::statement::{Cursor, TokenKind};

/// The options of `(A, B off, C)` and of bare words, as lower case words that are on.
fn options(cursor: &mut Cursor<'_>, bare: &[&'static str]) -> Vec<String> {
    let mut words = Vec::new();
    if let Some(group) = cursor.group() {
        for option in group.segments() {
            let off = ["false", "off", "0"].iter().any(|word| option.is_at(1, word));
            if !off {
                words.push(option.peek_text().to_ascii_lowercase());
            }
        }
    }
    while let Some(word) = cursor.eat_any(bare) {
        words.push(word.to_owned());
    }
    words
}

fn tables(cursor: &mut Cursor<'_>) -> Vec<Name> {
    let mut tables = Vec::new();
    while !cursor.at_end() {
        cursor.eat("only");
        let Some(name) = cursor.name() else { break };
        tables.push(name);
        cursor.eat("*");
        cursor.group();
        if cursor.eat_kind(TokenKind::Comma).is_none() {
            break;
        }
    }
    tables
}

pub(super) fn vacuum(mut cursor: Cursor<'_>) -> Kind {
    let options = options(&mut cursor, &["full", "freeze", "verbose", "analyze", "analyse"]);
    let has = |word: &str| options.iter().any(|option| option == word);
    let command = if has("full") {
        Maintenance::VacuumFull
    } else {
        Maintenance::Vacuum { analyze: has("analyze") || has("analyse") }
    };
    Kind::Maintain(Maintain { command, tables: tables(&mut cursor), index: None })
}

pub(super) fn analyze(mut cursor: Cursor<'_>) -> Kind {
    options(&mut cursor, &["verbose"]);
    Kind::Maintain(Maintain { command: Maintenance::Analyze, tables: tables(&mut cursor), index: None })
}

pub(super) fn cluster(mut cursor: Cursor<'_>) -> Option<Kind> {
    options(&mut cursor, &["verbose"]);
    let Some(first) = cursor.name() else {
        return Some(Kind::Maintain(Maintain {
            command: Maintenance::Cluster,
            tables: Vec::new(),
            index: None,
        }));
    };
    let (table, index) = if cursor.eat("on") {
        (cursor.name()?, Some(crate::dialect::Ident { name: first.name, span: first.span }))
    } else if cursor.eat("using") {
        (first, cursor.ident())
    } else {
        (first, None)
    };
    Some(Kind::Maintain(Maintain { command: Maintenance::Cluster, tables: vec![table], index }))
}

/// The parentheses, one table, the columns of its statistics, and the index to order by; its own one where none is named.
pub(super) fn repack(mut cursor: Cursor<'_>) -> Option<Kind> {
    let options = options(&mut cursor, &[]);
    let concurrently = options.iter().any(|option| option == "concurrently");
    let table = if cursor.is("using") { None } else { cursor.name() };
    cursor.eat("*");
    // Columns are those of the statistics, and refused where none are taken (measured on 19).
    let columns = cursor.group().is_some();
    (!columns || options.iter().any(|option| option == "analyze" || option == "analyse")).then_some(())?;
    let ordered = cursor.eat_all("using index");
    let index = if ordered { cursor.ident() } else { None };
    cursor.at_end().then_some(())?;
    let command = Maintenance::Repack { concurrently };
    Some(Kind::Maintain(Maintain { command, tables: table.into_iter().collect(), index }))
}

pub(super) fn lock(mut cursor: Cursor<'_>) -> Option<Kind> {
    cursor.eat("table");
    let tables = tables(&mut cursor);
    let mut mode = LockMode::AccessExclusive;
    if cursor.eat("in") {
        let first = cursor.index();
        cursor.seek(&["mode"]).then_some(())?;
        let words = cursor.part(first, cursor.index()).span();
        let title: Vec<&str> = words.of(cursor.text()).split_whitespace().collect();
        mode = LockMode::from_title(&title.join(" "))?;
        cursor.next_token();
    }
    Some(Kind::Lock(Lock { tables, mode, nowait: cursor.eat("nowait") }))
}

pub(super) fn truncate(mut cursor: Cursor<'_>) -> Option<Kind> {
    cursor.eat("table");
    let tables = tables(&mut cursor);
    tables.first()?;
    let restart_identity = cursor.eat_all("restart identity");
    Some(Kind::Truncate(Truncate { tables, cascade: cursor.has(&["cascade"]), restart_identity }))
}

pub(super) fn comment(mut cursor: Cursor<'_>) -> Option<Kind> {
    cursor.eat("on").then_some(())?;
    let mut object = object_kind(&mut cursor)?;
    let first = cursor.index();
    let mut name = cursor.name().unwrap_or_default();
    let mut part = None;
    if object == ObjectKind::Column {
        // All but the column and its dot.
        let table = cursor.part(first, cursor.index().saturating_sub(2)).name();
        part = table.is_some().then(|| name.name.clone());
        name = table.unwrap_or(name);
    }
    let takes = cursor.group().map(|group| super::routine::types(&group));
    if cursor.eat("on") {
        part = Some(name.name);
        if cursor.eat("domain") {
            object = ObjectKind::Domain;
        }
        name = cursor.name()?;
    }
    let text = if cursor.eat("is") { cursor.text_of_string() } else { None };
    Some(Kind::Comment(Comment { object, name, part, takes, text: text.filter(|it| !it.is_empty()) }))
}
