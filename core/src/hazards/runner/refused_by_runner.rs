//! The runner cuts, sends or refuses the text in a way that the file does not expect.

use crate::dialect::Dialect;
use crate::framework::{Piece, Reader, Transaction, pieces};
use crate::hazards::{Fix, Hazard, Rule, Sent, Severity, Trigger};
use crate::statement::{Statement, Token, TokenKind};
use crate::text::{Edit, Span};

/// The runner cuts, sends or refuses the text in a way that the file does not expect.
pub(crate) static RULE: Rule = Rule {
    id: "refused-by-runner",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("refused_by_runner.md"),
    trigger: Trigger::Runner(check),
};

fn check(sent: &Sent<'_>) -> Vec<Hazard> {
    let mut found = cut_by_lines(sent);
    found.extend(cut_at_semicolons(sent));
    found.extend(for_psql(sent));
    found.extend(mixed(sent));
    found.extend(waits_for_itself(sent));
    found
}

/// A statement that the runner takes for several, or a last one whose end it does not find.
fn cut_by_lines(sent: &Sent<'_>) -> Vec<Hazard> {
    let Reader::Lines { prefix } = sent.framework.reader else { return Vec::new() };
    if sent.transaction == Transaction::Implicit {
        // What stands between the marks is a part by itself.
        return Vec::new();
    }
    let (title, text) = (sent.framework.title, sent.script.text);
    let pieces = pieces(sent.framework, text, sent.span);
    let around = |statement: &Statement| {
        let begin = text[..statement.span.start].rfind('\n').map_or(0, |at| at + 1);
        let end = text[statement.end..].find('\n').map_or(text.len(), |at| statement.end + at + 1);
        let line = if text[..end].ends_with('\n') { "" } else { "\n" };
        let edits = vec![
            Edit::insert(begin.max(sent.span.start), format!("-- {prefix} StatementBegin\n")),
            Edit::insert(end, format!("{line}-- {prefix} StatementEnd\n")),
        ];
        Fix::safe("Mark it as one statement", edits)
    };
    let mut found = Vec::new();
    for statement in &sent.script.statements {
        let inside = |piece: &&Piece| {
            piece.span.start <= statement.span.start && statement.span.start < piece.span.end
        };
        let Some(piece) = pieces.iter().find(inside) else { continue };
        if piece.span.end < statement.span.end {
            let message = format!(
                "it reaches the server in pieces, which fail: {title} ends a statement at each line that ends with a semicolon"
            );
            found.push(Hazard::new(&RULE, head(text, statement.span), message).with_fix(around(statement)));
        } else if !piece.ended {
            let message = match piece.marked {
                true => {
                    format!("the file is refused by {title}: StatementEnd is missing behind this statement")
                }
                false => {
                    format!(
                        "the file is refused by {title}: no line ends with a semicolon behind this statement"
                    )
                }
            };
            found.push(Hazard::new(&RULE, head(text, statement.span), message));
        }
    }
    found
}

/// A routine whose body is cut.
fn cut_at_semicolons(sent: &Sent<'_>) -> Vec<Hazard> {
    if sent.framework.reader != Reader::Semicolons {
        return Vec::new();
    }
    let text = sent.script.text;
    let line = text[..sent.span.start].lines().next_back().unwrap_or_default();
    if line.contains("splitStatements:false") || line.contains("endDelimiter:") {
        return Vec::new();
    }
    let is_cut = |statement: &&Statement| {
        let tokens = sent.script.tokens_of(statement).iter();
        let mut bodies = tokens.filter(|token| token.kind == TokenKind::Dollar);
        bodies.any(|token| token.span.of(text).contains(';'))
    };
    let statements = sent.script.statements.iter().filter(is_cut);
    let hazard = |statement: &Statement| {
        let message = format!(
            "it reaches the server in pieces, which fail: {} cuts at every semicolon unless the line of the change set says splitStatements:false",
            sent.framework.title
        );
        Hazard::new(&RULE, head(text, statement.span), message)
    };
    statements.map(hazard).collect()
}

/// What only psql reads.
fn for_psql(sent: &Sent<'_>) -> Vec<Hazard> {
    let (title, text) = (sent.framework.title, sent.script.text);
    let mut found = Vec::new();
    if !matches!(sent.framework.reader, Reader::Psql) {
        let commands = sent.script.tokens.iter().filter(|it| it.kind == TokenKind::Client);
        for span in commands.map(|it| it.span).filter(|it| it.of(text).starts_with('\\')) {
            let message = format!(
                "a command of psql, which only psql reads: {title} sends it to the server, which refuses it"
            );
            found.push(Hazard::new(&RULE, head(text, span), message));
        }
    }
    if !matches!(sent.framework.reader, Reader::Psql | Reader::Statements) {
        let is = |token: &Token, word: &str| token.span.of(text).eq_ignore_ascii_case(word);
        for statement in &sent.script.statements {
            let tokens = sent.script.tokens_of(statement);
            if tokens.first().is_some_and(|it| is(it, "copy")) && tokens.iter().any(|it| is(it, "stdin")) {
                let message = format!(
                    "rows behind COPY FROM STDIN are read by psql: {title} sends them to the server as SQL, which refuses them; write INSERT"
                );
                found.push(Hazard::new(&RULE, head(text, statement.span), message));
            }
        }
    }
    found
}

/// Statements inside and outside of a transaction, in a file of a runner that wants them apart.
fn mixed(sent: &Sent<'_>) -> Option<Hazard> {
    if sent.framework.leaves_for.is_empty() || sent.settings.mixed || sent.is_stated {
        return None;
    }
    let leaves = |statement: &&Statement| sent.leaves(statement);
    let outside = sent.script.statements.iter().find(leaves)?;
    sent.script.statements.iter().find(|it| !sent.leaves(it))?;
    let message = format!(
        "the file is refused by {}: this statement runs outside of a transaction, and others of the file do not; move it to a migration of its own",
        sent.framework.title
    );
    Some(Hazard::new(&RULE, head(sent.script.text, outside.span), message))
}

/// CREATE INDEX CONCURRENTLY waits for all open transactions, that of the runner's own lock too.
fn waits_for_itself(sent: &Sent<'_>) -> Option<Hazard> {
    let setting = sent.framework.lock_setting.filter(|_| !sent.settings.session_lock)?;
    let concurrent = |statement: &&Statement| {
        let mut tokens = sent.script.tokens_of(statement).iter();
        tokens.any(|token| token.span.of(sent.script.text).eq_ignore_ascii_case("concurrently"))
    };
    let waits = sent.script.statements.iter().filter(|it| sent.leaves(it)).find(concurrent)?;
    let title = sent.framework.title;
    let message =
        format!("it waits for ever for the transaction that holds {title}'s own lock, unless {setting}");
    Some(Hazard::new(&RULE, head(sent.script.text, waits.span), message).with_severity(Severity::Warning))
}

/// The first line of a place.
fn head(text: &str, span: Span) -> Span {
    let line = span.of(text).find(['\r', '\n']).map_or(span.end, |at| span.start + at);
    Span::new(span.start, line)
}
