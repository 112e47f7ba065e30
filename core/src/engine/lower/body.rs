//! Bodies of DO blocks and functions: the statements in them, read by the same recogniser.
//!
//! Control words are dropped; what stands behind them may run or not, so everything in a body is conditional.

use std::collections::BTreeSet;

use super::lower;
use crate::operation::{Kind, Operation, Query, QueryText};
use crate::statement::{Cursor, Script, Statement, Token, TokenKind};
use crate::text::Span;

/// A dynamic statement whose text is only known when it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dynamic {
    /// Where it stands.
    pub span: Span,
}

/// What a body holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct InBody {
    /// The operations of its statements; all may run or not.
    pub operations: Vec<Operation>,
    /// Statements that are put together when they run, and are not analysed.
    pub dynamic: Vec<Dynamic>,
    /// The operations, by their number, that stand in a loop which never commits.
    pub uncommitted: BTreeSet<usize>,
    /// The first operation of each open loop, and whether a COMMIT stands in it.
    loops: Vec<(usize, bool)>,
}

/// Reads the body that stands at `code`.
pub fn operations_of_body(script: &Script<'_>, code: Span, language: &str) -> InBody {
    let mut found = InBody::default();
    if !matches!(language, "plpgsql" | "sql") {
        found.dynamic.push(Dynamic { span: code });
        return found;
    }
    let body = Script::read_part(script.text, code, script.dialect);
    let mut declaring = false;
    for statement in &body.statements {
        statement_of_body(&body, statement, &mut declaring, &mut found);
    }
    found
}

fn statement_of_body(body: &Script<'_>, statement: &Statement, declaring: &mut bool, found: &mut InBody) {
    let mut cursor = body.cursor(statement);
    if cursor.is("end") && cursor.is_at(1, "loop") {
        end_loop(found);
        return;
    }
    skip_control(&mut cursor, declaring, found);
    if *declaring || cursor.at_end() {
        return;
    }
    if cursor.eat("execute") {
        dynamic(body, cursor, found);
    } else if cursor.eat("perform") {
        let span = cursor.rest().span();
        let query = QueryText { text: span.of(body.text).to_owned(), span };
        found.operations.push(Operation { kind: Kind::Query(Query { query, locks_rows: false }), span });
    } else if cursor.is_any(&["commit", "rollback"]) {
        found.loops.iter_mut().for_each(|(_, commits)| *commits = true);
        found.operations.extend(operations(body, &cursor.tokens()[cursor.index()..]));
    } else if cursor.is_any(VERBS) && !is_assignment(&cursor) {
        let rest = &cursor.tokens()[cursor.index()..];
        let mut own = operations(body, rest);
        own.retain(|it| !is_transaction(it));
        if cursor.is("select") {
            own.iter_mut().for_each(|it| into_variables(body, it));
        }
        found.operations.extend(own);
    }
}

/// In a body, what a SELECT is INTO are variables.
fn into_variables(body: &Script<'_>, operation: &mut Operation) {
    if matches!(operation.kind, Kind::CreateTable(_)) {
        let span = operation.span;
        let query = QueryText { text: span.of(body.text).to_owned(), span };
        operation.kind = Kind::Query(Query { query, locks_rows: false });
    }
}

/// In a body, BEGIN opens a block and no transaction.
fn is_transaction(operation: &Operation) -> bool {
    matches!(operation.kind, Kind::Transaction(_))
}

fn operations(body: &Script<'_>, tokens: &[Token]) -> Vec<Operation> {
    let part = Script {
        text: body.text,
        dialect: body.dialect,
        tokens: tokens.to_vec(),
        comments: Vec::new(),
        statements: Vec::new(),
    };
    let span = tokens.first().zip(tokens.last()).map(|(first, last)| first.span.cover(last.span));
    let Some(span) = span else { return Vec::new() };
    lower(&part, &Statement { span, tokens: 0..tokens.len(), end: span.end, terminated: true })
}

fn end_loop(found: &mut InBody) {
    if let Some((first, false)) = found.loops.pop() {
        found.uncommitted.extend(first..found.operations.len());
    }
}

/// Words that a statement of SQL starts with.
const VERBS: &[&str] = &[
    "alter", "create", "drop", "insert", "update", "delete", "merge", "truncate", "lock", "refresh",
    "reindex", "comment", "cluster", "vacuum", "analyze", "select", "with", "set", "do", "copy", "grant",
    "revoke", "call",
];

fn is_assignment(cursor: &Cursor<'_>) -> bool {
    cursor.is_at(1, ":=") || cursor.is_at(1, "=") || cursor.is_at(1, ":")
}

/// Reads the words of control in front of a statement.
fn skip_control(cursor: &mut Cursor<'_>, declaring: &mut bool, found: &mut InBody) {
    loop {
        if cursor.eat("begin") {
            cursor.eat("atomic");
            *declaring = false;
        } else if cursor.eat("declare") {
            *declaring = true;
            return;
        } else if *declaring {
            return;
        } else if cursor.eat("<<") {
            cursor.seek(&[">>"]);
            cursor.next_token();
        } else if cursor.eat("loop") {
            found.loops.push((found.operations.len(), false));
        } else if cursor.eat_any(&["else", "exception", "then"]).is_some() {
        } else if cursor.is_any(&["if", "elsif", "elseif", "when", "case"]) {
            if !cursor.seek(&["then"]) {
                while cursor.next_token().is_some() {}
            }
            cursor.next_token();
        } else if cursor.is_any(&["for", "foreach", "while"]) {
            if !cursor.seek(&["loop"]) {
                while cursor.next_token().is_some() {}
            }
        } else {
            return;
        }
    }
}

/// Reads `EXECUTE 'literal'`; anything else is only known when it runs.
fn dynamic(body: &Script<'_>, mut cursor: Cursor<'_>, found: &mut InBody) {
    let span = cursor.span();
    let literal = cursor.next_token();
    let ends = cursor.at_end() || cursor.is_any(&["using", "into"]);
    let inner = literal.filter(|_| ends).and_then(|token| literal_text(body.text, token));
    match inner {
        Some(inner) => {
            let script = Script::read_part(body.text, inner, body.dialect);
            for statement in &script.statements {
                found.operations.extend(lower(&script, statement));
            }
        }
        None => found.dynamic.push(Dynamic { span }),
    }
}

/// The text of a literal that stands in the file as it will run: without doubled quotes.
fn literal_text(text: &str, token: Token) -> Option<Span> {
    let literal = token.span.of(text);
    let (open, close) = match token.kind {
        TokenKind::String if literal.starts_with('\'') => (1, 1),
        TokenKind::Dollar => {
            let tag = literal.get(1..)?.find('$')? + 2;
            (tag, tag)
        }
        _ => return None,
    };
    let inner = literal.get(open..literal.len().checked_sub(close)?)?;
    (!inner.contains("''")).then(|| Span::new(token.span.start + open, token.span.end - close))
}
