//! Where the code of a block or routine ends the transaction, and whether it certainly comes there.

use crate::statement::{Cursor, Script};
use crate::text::Span;

/// A place that ends the transaction around the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// What does it there: `COMMIT`, or the routine that is called.
    pub what: String,
    /// Whether the code comes there whatever its conditions are, on tables that hold rows.
    pub certain: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Frame {
    Block,
    Loop,
    /// IF, CASE and the handlers of errors: perhaps.
    Perhaps,
}

/// What a word in the middle of a statement starts another one behind.
#[derive(Clone, Copy, PartialEq)]
enum Awaited {
    Nothing,
    Then,
    Loop,
}

/// The first place of PL/pgSQL code that certainly ends the transaction, or else one that may. `ends` says so of a routine that is called.
pub fn ending(script: &Script<'_>, code: Span, ends: &dyn Fn(&str) -> Option<bool>) -> Option<Ending> {
    let body = Script::read_part(script.text, code, script.dialect);
    let mut walk = Walk { frames: Vec::new(), left: false, found: None, ends };
    for statement in &body.statements {
        walk.statement(body.cursor(statement));
    }
    // A handler may take the error, and then nothing fails.
    let handled = body.statements.iter().any(|it| body.cursor(it).is("exception"));
    walk.found.map(|it| Ending { certain: it.certain && !handled, ..it })
}

struct Walk<'a> {
    frames: Vec<Frame>,
    /// A RETURN or RAISE stands before: the rest may not run.
    left: bool,
    found: Option<Ending>,
    ends: &'a dyn Fn(&str) -> Option<bool>,
}

impl Walk<'_> {
    fn statement(&mut self, mut cursor: Cursor<'_>) {
        let mut awaited = Awaited::Nothing;
        while !cursor.at_end() {
            match awaited {
                Awaited::Nothing => match self.word(&mut cursor) {
                    Some(next) => awaited = next,
                    None => return,
                },
                Awaited::Then if cursor.eat("then") => awaited = Awaited::Nothing,
                Awaited::Loop if cursor.eat("loop") => {
                    self.frames.push(Frame::Loop);
                    awaited = Awaited::Nothing;
                }
                _ => cursor.skip(),
            }
        }
    }

    /// Reads a word of control, and gives what it waits for; `None` where the statement has nothing more of that.
    fn word(&mut self, cursor: &mut Cursor<'_>) -> Option<Awaited> {
        if cursor.eat("<<") {
            cursor.seek(&[">>"]);
            cursor.next_token();
        } else if cursor.eat("begin") {
            self.frames.push(Frame::Block);
        } else if cursor.eat("loop") {
            self.frames.push(Frame::Loop);
        } else if cursor.eat_any(&["declare", "else"]).is_some() {
        } else if cursor.eat("exception") {
            self.frames.pop();
            self.frames.push(Frame::Perhaps);
        } else if cursor.eat_any(&["if", "case"]).is_some() {
            self.frames.push(Frame::Perhaps);
            return Some(Awaited::Then);
        } else if cursor.eat_any(&["elsif", "elseif", "when"]).is_some() {
            return Some(Awaited::Then);
        } else if cursor.is_any(&["for", "foreach", "while"]) {
            return Some(Awaited::Loop);
        } else {
            self.plain(*cursor);
            return None;
        }
        Some(Awaited::Nothing)
    }

    fn plain(&mut self, mut cursor: Cursor<'_>) {
        if cursor.is("end") {
            self.frames.pop();
        } else if cursor.is_any(&["return", "raise"]) {
            // A notice is no error: what it may be is not looked at.
            self.left |= !cursor.is_at(1, "next") && !cursor.is_at(1, "query") && !is_notice(&cursor);
        } else if cursor.is("commit") || cursor.is("rollback") && !cursor.has(&["to"]) {
            let what = if cursor.is("commit") { "COMMIT" } else { "ROLLBACK" };
            self.note(what.to_owned(), true);
        } else if cursor.eat("call")
            && let Some(name) = cursor.name()
            && let Some(certain) = (self.ends)(&name.name)
        {
            self.note(name.name, certain);
        }
    }

    fn note(&mut self, what: String, certain: bool) {
        let certain = certain && !self.left && !self.frames.contains(&Frame::Perhaps);
        if self.found.as_ref().is_none_or(|it| certain && !it.certain) {
            self.found = Some(Ending { what, certain });
        }
    }
}

fn is_notice(cursor: &Cursor<'_>) -> bool {
    ["debug", "log", "info", "notice", "warning"].iter().any(|level| cursor.is_at(1, level))
}
