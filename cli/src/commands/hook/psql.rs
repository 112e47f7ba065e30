//! What `psql` is given to run: texts, files, its standard input.

use lockkeeper_core::dialect::Dialect;
use lockkeeper_core::engine::lower;
use lockkeeper_core::operation::Kind;
use lockkeeper_core::statement::{Script, TokenKind};
use lockkeeper_core::text::quoted;

use super::programs::Program;
use super::shell::Word;
use super::verdict::Verdict;

/// Where SQL comes from.
pub enum Source {
    Text(Word),
    File(Word),
    Input,
}

/// Options that take a value and say nothing of what is run.
const VALUED: [&str; 12] = [
    "dbname",
    "host",
    "port",
    "username",
    "set",
    "variable",
    "output",
    "log-file",
    "pset",
    "field-separator",
    "record-separator",
    "table-attr",
];

/// All that a call of psql runs, in order.
pub fn sources(program: &Program) -> Vec<Source> {
    let mut found = Vec::new();
    let mut words = program.arguments.iter();
    while let Some(word) = words.next() {
        let text = word.start();
        let Some(option) = text.strip_prefix('-').filter(|it| !it.is_empty()) else { continue };
        if let Some(long) = option.strip_prefix('-') {
            let (name, attached) = long
                .split_once('=')
                .map_or((long, None), |(name, _)| (name, Some(word.after(name.len() + 3))));
            match name {
                "command" => found.extend(attached.or_else(|| words.next().cloned()).map(Source::Text)),
                "file" => found.extend(attached.or_else(|| words.next().cloned()).map(Source::File)),
                "list" | "help" | "version" => return Vec::new(),
                _ if VALUED.contains(&name) && attached.is_none() => {
                    words.next();
                }
                _ => {}
            }
            continue;
        }
        // Letters stand together; one that takes a value takes the rest, or the next word.
        for (at, letter) in option.char_indices() {
            let value = |words: &mut std::slice::Iter<'_, Word>| {
                let attached = word.after(1 + at + 1);
                if attached.text.is_empty() && attached.known().is_some() {
                    words.next().cloned()
                } else {
                    Some(attached)
                }
            };
            match letter {
                'c' => found.extend(value(&mut words).map(Source::Text)),
                'f' => found.extend(value(&mut words).map(Source::File)),
                'd' | 'F' | 'h' | 'L' | 'o' | 'p' | 'P' | 'R' | 'T' | 'U' | 'v' => drop(value(&mut words)),
                'l' | 'V' => return Vec::new(),
                _ => continue,
            }
            break;
        }
    }
    if found.is_empty() {
        found.push(Source::Input);
    }
    found
}

/// How much of a statement is shown.
const SHOWN: usize = 60;

/// What a text does when `psql` runs it; of one that is not known nobody can tell.
pub fn judge(text: Option<&str>) -> Verdict {
    let Some(text) = text else {
        return Verdict::Unread("the SQL that psql would run is known only at run time".to_owned());
    };
    let script = Script::read(text, Dialect::Postgres);
    let commands = script.tokens.iter().filter(|it| it.kind == TokenKind::Client);
    let of_client = Verdict::strongest(commands, |token| of_client(token.span.of(text)));
    of_client.or(|| {
        Verdict::strongest(&script.statements, |statement| {
            let operations = lower::lower(&script, statement);
            Verdict::strongest(&operations, |it| of_kind(&it.kind, statement.span.of(text)))
        })
    })
}

/// A command of psql itself.
fn of_client(command: &str) -> Verdict {
    match command.split_whitespace().next().unwrap_or_default() {
        "\\i" | "\\ir" | "\\include" | "\\include_relative" | "\\gexec" | "\\!" => {
            Verdict::Unread(format!("psql would run {}, which does not stand here", quoted(command, SHOWN)))
        }
        _ => Verdict::Pass,
    }
}

fn of_kind(kind: &Kind, statement: &str) -> Verdict {
    match kind {
        Kind::Query(_)
        | Kind::Set(_)
        | Kind::Transaction(_)
        | Kind::Insert(_)
        | Kind::Update(_)
        | Kind::Delete(_)
        | Kind::Merge(_)
        | Kind::Copy(_)
        | Kind::Other(_) => Verdict::Pass,
        Kind::Do(_) | Kind::Unknown(_) => {
            Verdict::Unread(format!("it cannot be told what {} does", quoted(statement, SHOWN)))
        }
        _ => Verdict::Ask(format!("{} changes the schema of a database", quoted(statement, SHOWN))),
    }
}
