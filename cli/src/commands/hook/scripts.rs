//! Texts that a command runs and that do not stand in it: scripts, scripts of packages, targets of make.
//!
//! A shell's are read as the command line is. In what cannot be read so, programs in other languages above all, names are looked for: a text
//! that names nothing of what this hook is about is let through, since a question about every script would be switched off.

use lockkeeper_core::framework::RUNNER_COMMANDS;
use lockkeeper_core::text::quoted;
use serde_json::Value;

use super::judge::Judge;
use super::programs::Program;
use super::shell::Word;
use super::verdict::Verdict;

const SHOWN: usize = 80;

/// A file with a text for a shell.
pub fn shell_file(judge: &Judge, file: Option<&Word>) -> Verdict {
    let Some(file) = file else { return Verdict::Pass };
    match judge.read(file) {
        Some(text) => within(judge, &text, file.start()),
        None => Verdict::Unread(format!("the script {} cannot be read now", quoted(file.start(), SHOWN))),
    }
}

/// A text for a shell in a file. What cannot be read in it counts where it names what this hook is about.
fn within(judge: &Judge, text: &str, file: &str) -> Verdict {
    match judge.inner(&Word::fixed(text)) {
        Verdict::Unread(_) => code_of(judge, text, file),
        Verdict::Ask(reason) => Verdict::Ask(format!("in {}: {reason}", quoted(file, SHOWN))),
        Verdict::Refuse(reason) => Verdict::Refuse(format!("in {}: {reason}", quoted(file, SHOWN))),
        Verdict::Pass => Verdict::Pass,
    }
}

/// A program that is named by its path: a script of the project.
pub fn by_path(judge: &Judge, path: &str) -> Verdict {
    if !path.contains('/') {
        return Verdict::Pass;
    }
    let Some(text) = judge.read(&Word::fixed(path)) else { return Verdict::Pass };
    let first = text.lines().next().unwrap_or_default();
    match first.strip_prefix("#!") {
        Some(program) if program.trim_end().ends_with("sh") => within(judge, &text, path),
        Some(_) => code_of(judge, &text, path),
        None => Verdict::Pass,
    }
}

/// The file that a language runs.
pub fn code_file(judge: &Judge, program: &Program) -> Verdict {
    let Some(file) = program.operands().next() else { return Verdict::Pass };
    let text = judge.read(file).or_else(|| {
        let path = file.known()?;
        ["js", "ts", "mjs"].iter().find_map(|it| judge.read(&Word::fixed(&format!("{path}.{it}"))))
    });
    match text {
        Some(text) => code_of(judge, &text, file.start()),
        // What is not there yet is built before it runs; nobody knows of what.
        None => Verdict::Pass,
    }
}

/// Code that stands in the command itself.
pub fn code(judge: &Judge, text: &str) -> Verdict {
    match mark(judge, text).or_else(|| changes_schema(text)) {
        Some(found) => Verdict::Unread(format!("the code names {}", quoted(&found, SHOWN))),
        None => Verdict::Pass,
    }
}

fn code_of(judge: &Judge, text: &str, file: &str) -> Verdict {
    let database = ["psycopg", "asyncpg", "postgres", "sqlalchemy", "'pg'", "\"pg\"", "psql", "pgx", "knex"];
    let lower = text.to_ascii_lowercase();
    let of_database = || database.iter().any(|it| lower.contains(it)).then(|| changes_schema(text)).flatten();
    match mark(judge, text).or_else(of_database) {
        Some(found) => {
            Verdict::Unread(format!("the script {} names {}", quoted(file, SHOWN), quoted(&found, SHOWN)))
        }
        None => Verdict::Pass,
    }
}

/// What a text names of what this hook is about.
fn mark(judge: &Judge, text: &str) -> Option<String> {
    if judge.places.are_named_in(text) {
        return Some(".lockkeeper".to_owned());
    }
    // `["prisma", "migrate", "reset"]` is the same command.
    let plain: String = text.chars().map(|it| if "\"',[]()".contains(it) { ' ' } else { it }).collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    let plain = format!(" {} ", words.join(" "));
    let named = |it: &str| plain.contains(&format!(" {it} ")) || plain.contains(&format!("/{it} "));
    let commands = RUNNER_COMMANDS.iter().map(|it| it.spelled());
    commands.chain(["lockkeeper approve".to_owned()]).find(|it| it.contains(' ') && named(it))
}

/// The first words of a statement that changes a schema, as they stand in a text of whatever language.
fn changes_schema(text: &str) -> Option<String> {
    const STATEMENTS: [&str; 10] = [
        "DROP TABLE",
        "DROP SCHEMA",
        "DROP DATABASE",
        "DROP COLUMN",
        "DROP INDEX",
        "ALTER TABLE",
        "CREATE TABLE",
        "CREATE INDEX",
        "CREATE UNIQUE INDEX",
        "TRUNCATE TABLE",
    ];
    let plain = text.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_uppercase();
    STATEMENTS.iter().find(|it| plain.contains(**it)).map(|it| (*it).to_owned())
}

/// `npm run NAME`, `yarn NAME`, `npm test`: what package.json says of them.
pub fn package(judge: &Judge, program: &Program) -> Verdict {
    let mut operands = program.operands();
    let Some(first) = operands.next().and_then(Word::known) else { return Verdict::Pass };
    let name = match first {
        "run" | "run-script" => operands.next().and_then(Word::known),
        _ => Some(first),
    };
    let Some(name) = name else {
        return Verdict::Unread("which script of package.json runs is known only at run time".to_owned());
    };
    let scripts =
        judge.read(&Word::fixed("package.json")).and_then(|it| serde_json::from_str::<Value>(&it).ok());
    let script = |name: &str| scripts.as_ref()?.get("scripts")?.get(name)?.as_str().map(str::to_owned);
    let Some(text) = script(name) else {
        // `yarn prisma …` and `pnpm prisma …` run a program of the project.
        let words: Vec<Word> =
            program.arguments.iter().skip_while(|it| it.known() != Some(name)).cloned().collect();
        return if program.name == "npm" { Verdict::Pass } else { judge.words(words) };
    };
    let whole = [script(&format!("pre{name}")), Some(text), script(&format!("post{name}"))];
    let more: Vec<&str> = program
        .arguments
        .iter()
        .skip_while(|it| it.known() != Some("--"))
        .skip(1)
        .filter_map(Word::known)
        .collect();
    let text = whole.into_iter().flatten().collect::<Vec<_>>().join("\n");
    within(judge, &format!("{text} {}", more.join(" ")), &format!("package.json: {name}"))
}

/// The targets of make, with those that they need.
pub fn targets(judge: &Judge, program: &Program) -> Verdict {
    let file = ["Makefile", "makefile", "GNUmakefile", "justfile", "Justfile"]
        .iter()
        .find_map(|it| judge.read(&Word::fixed(it)));
    let Some(file) = file else { return Verdict::Pass };
    let mut wanted: Vec<String> = program.operands().filter_map(Word::known).map(str::to_owned).collect();
    if wanted.is_empty() {
        wanted.extend(rules(&file).next().map(|(name, ..)| name.to_owned()));
    }
    let mut looked_at = 0;
    while looked_at < wanted.len() && looked_at < 100 {
        let name = wanted[looked_at].clone();
        let needed =
            rules(&file).filter(|(it, ..)| *it == name).flat_map(|(_, needs, _)| needs.split_whitespace());
        let more: Vec<String> =
            needed.filter(|it| !wanted.iter().any(|known| known == it)).map(str::to_owned).collect();
        wanted.extend(more);
        looked_at += 1;
    }
    Verdict::strongest(
        rules(&file).filter(|(name, ..)| wanted.iter().any(|it| it == name)),
        |(name, _, recipe)| {
            let line = |it: &str| {
                it.trim_start().trim_start_matches(['@', '-', '+']).replace("$(", "${_").replace("$$", "$")
            };
            let text: Vec<String> = recipe.lines().map(line).map(|it| closed(&it)).collect();
            within(judge, &text.join("\n"), &format!("target {name}"))
        },
    )
}

/// A variable of make in the braces of a shell's.
fn closed(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find("${_") {
        let end = rest[at..].find(')').map(|it| at + it);
        let Some(end) = end else { break };
        out.push_str(&rest[..at]);
        out.push_str("$_");
        rest = &rest[end + 1..];
    }
    out + rest
}

/// Each rule: its name, what it needs, its indented lines.
fn rules(file: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    let is_indented = |line: &str| line.starts_with(['\t', ' ']);
    let mut rest = file;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
            rest = after;
            if is_indented(line) || line.starts_with('#') {
                continue;
            }
            let Some((name, needs)) = line.split_once(':').filter(|(_, needs)| !needs.starts_with('='))
            else {
                continue;
            };
            let mut end = 0;
            for line in after.split_inclusive('\n') {
                if !is_indented(line) && !line.trim().is_empty() {
                    break;
                }
                end += line.len();
            }
            rest = &after[end..];
            let name = name.split_whitespace().next().unwrap_or_default();
            return Some((name, needs, &after[..end]));
        }
        None
    })
}
