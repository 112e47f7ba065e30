//! `cargo xtask mutants`: whether core's tests notice when a recipe, mechanic or strategy is wrong.
//!
//! All mutants are built at once: each changed place asks for its number, and the tests run once for every number. So a mutant costs a run
//! of the tests and no build. The copy that is changed lies in the target folder, and builds in a folder of its own: in ours its tests would pass for ours. A change that does not compile is no mutant.

use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::shell::{cargo, root, shown, target};

/// What is changed unless other files are named: where steps are made, and where ways are weighed.
const ROOMS: &[&str] = &["recipes", "mechanics", "strategies", "planner"];

/// A mutant that runs longer found an endless loop, which tests notice.
const LONGEST: Duration = Duration::from_secs(120);

/// A place that can be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mutant {
    number: usize,
    /// Below `core/src`.
    file: PathBuf,
    line: usize,
    /// What is changed, as it stands there.
    was: String,
    /// What becomes of it.
    change: &'static str,
}

/// Builds the mutants of the files whose path below `core/src` contains `part`, and runs core's tests with `sample` of them.
pub fn run(part: &str, sample: usize, seed: u64) -> Result<()> {
    let copy = target().join("mutants");
    let mut left_out = BTreeSet::new();
    let (mutants, tests) = loop {
        let mutants = write(&copy, part, &left_out)?;
        match build(&copy)? {
            Ok(tests) => break (mutants, tests),
            Err(places) => {
                let wrong = mutants.iter().filter(|it| places.contains(&(it.file.clone(), it.line)));
                let wrong: Vec<usize> = wrong.map(|it| it.number).collect();
                if wrong.is_empty() {
                    bail!(
                        "the changed copy does not compile, and no mutant stands where it does not: {places:?}"
                    );
                }
                eprintln!("{} changes do not compile", wrong.len());
                left_out.extend(wrong);
            }
        }
    };
    let possible: Vec<&Mutant> = mutants.iter().filter(|it| !left_out.contains(&it.number)).collect();
    let chosen = chosen(&possible, sample, seed);
    eprintln!("{} mutants, of which {} are tried", possible.len(), chosen.len());
    if is_noticed(&tests, usize::MAX)? {
        bail!("the tests fail without any change");
    }
    let mut survivors = Vec::new();
    for mutant in &chosen {
        let noticed = is_noticed(&tests, mutant.number)?;
        let place = format!("{}:{}", mutant.file.display(), mutant.line);
        eprintln!(
            "{} {place}: {}: {}",
            if noticed { "noticed " } else { "SURVIVES" },
            mutant.change,
            mutant.was
        );
        if !noticed {
            survivors.push(format!(
                "| `{place}` | {} | `{}` |",
                mutant.change,
                mutant.was.replace('|', "\\|")
            ));
        }
    }
    let noticed = chosen.len() - survivors.len();
    println!("{noticed} of {} are noticed ({} possible, seed {seed})\n", chosen.len(), possible.len());
    println!("| place | change | was |\n|---|---|---|\n{}", survivors.join("\n"));
    Ok(())
}

/// Some of them, the same for the same seed.
fn chosen<'a>(mutants: &[&'a Mutant], sample: usize, seed: u64) -> Vec<&'a Mutant> {
    // FNV-1a over the place and the seed orders them.
    let key = |it: &Mutant| {
        let text = format!("{seed} {} {} {}", it.file.display(), it.was, it.change);
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        text.bytes().fold(0xcbf2_9ce4_8422_2325, step)
    };
    let mut sorted = mutants.to_vec();
    sorted.sort_by_key(|it| key(it));
    sorted.truncate(sample);
    sorted.sort_by_key(|it| it.number);
    sorted
}

/// Writes the copy with all changes but some; tells all.
fn write(copy: &Path, part: &str, left_out: &BTreeSet<usize>) -> Result<Vec<Mutant>> {
    let own = root().join("core");
    let mut mutants = Vec::new();
    for file in files(&own)? {
        let inside = file.strip_prefix(&own)?;
        let bytes = fs::read(&file)?;
        let changed = match inside.strip_prefix("src").ok().filter(|it| is_meant(it, part)) {
            Some(below) => change(below, std::str::from_utf8(&bytes)?, left_out, &mut mutants).into_bytes(),
            None if inside == Path::new("src/lib.rs") => [bytes, SWITCH.as_bytes().to_vec()].concat(),
            None => bytes,
        };
        put(&copy.join("core").join(inside), &changed)?;
    }
    // Core alone is a workspace of its own there.
    let manifest = fs::read_to_string(root().join("Cargo.toml"))?;
    let of_rooms = |line: &&str| line.starts_with("members") || line.starts_with("default-members");
    if manifest.lines().filter(of_rooms).any(|it| !it.ends_with(']')) {
        bail!("the members of the workspace stand on one line each");
    }
    let other: Vec<&str> = manifest.lines().filter(|it| !of_rooms(it)).collect();
    let manifest = other.join("\n").replacen("[workspace]", "[workspace]\nmembers = [\"core\"]", 1);
    put(&copy.join("Cargo.toml"), manifest.as_bytes())?;
    fs::copy(root().join("Cargo.lock"), copy.join("Cargo.lock"))?;
    Ok(mutants)
}

/// Writes where something changes, so that what stays is not built again.
fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|it| it == bytes) {
        return Ok(());
    }
    fs::create_dir_all(path.parent().context("it lies in a folder")?)?;
    Ok(fs::write(path, bytes)?)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            true => found.extend(files(&path)?),
            false => found.push(path),
        }
    }
    found.sort();
    Ok(found)
}

fn is_meant(below: &Path, part: &str) -> bool {
    let text = below.display().to_string();
    let code = text.ends_with(".rs") && !text.ends_with("tests.rs") && !text.contains("tests/");
    let room = ROOMS.iter().any(|room| text.starts_with(&format!("{room}/")) || text == format!("{room}.rs"));
    code && room && text.contains(part)
}

/// Asks for the number of the mutant that is on.
const SWITCH: &str = "
/// Whether this mutant is on.
#[allow(clippy::all, missing_docs)]
pub fn mutated(number: usize) -> bool {
    static ON: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
    *ON.get_or_init(|| std::env::var(\"LOCKKEEPER_MUTANT\").ok().and_then(|it| it.parse().ok()).unwrap_or(usize::MAX)) == number
}

/// A link of a chain that a mutant leaves out.
pub trait Unless: Sized {
    /// The chain with the link, unless the mutant is on.
    fn unless(self, number: usize, link: impl FnOnce(Self) -> Self) -> Self {
        if mutated(number) { self } else { link(self) }
    }
}

impl<T> Unless for T {}
";

/// The text with its mutants.
fn change(below: &Path, text: &str, left_out: &BTreeSet<usize>, mutants: &mut Vec<Mutant>) -> String {
    let mut changed = String::new();
    let tests = text.find("#[cfg(test)]").unwrap_or(text.len());
    let mut at = 0;
    for (line, content) in text.split_inclusive('\n').enumerate() {
        let code = at < tests;
        at += content.len();
        let found = if code { mutated(content, mutants.len()) } else { None };
        let Some((new, was, what)) = found else {
            changed.push_str(content);
            continue;
        };
        let number = mutants.len();
        mutants.push(Mutant { number, file: below.to_owned(), line: line + 1, was, change: what });
        changed.push_str(if left_out.contains(&number) { content } else { &new });
    }
    // At the end, so that lines keep their numbers.
    changed + "#[allow(unused_imports)]\nuse crate::Unless as _;\n"
}

/// Links of chains that say what a step may do, and when.
const LINKS: &[&str] = &[".undone_by(", ".enter_when(", ".leave_when(", ".allowing("];

/// Closures that answer yes or no.
const QUESTIONS: &[&str] = &[".filter(|", ".any(|", ".all(|", ".find(|", ".is_some_and(|", ".is_none_or(|"];

/// A line with its mutant, what is changed in it, and how.
fn mutated(line: &str, number: usize) -> Option<(String, String, &'static str)> {
    let trimmed = line.trim();
    if trimmed.starts_with("//") {
        return None;
    }
    let indent = &line[..line.len() - line.trim_start().len()];
    let on = format!("crate::mutated({number})");
    let link = LINKS.iter().find(|it| trimmed.starts_with(**it));
    if let Some(inner) = link.and_then(|_| trimmed.strip_prefix('.')) {
        let (call, rest) = inner.split_at(closed(inner)?);
        let new = format!("{indent}.unless({number}, |it| it.{call}){rest}\n");
        return Some((new, call.to_owned(), "left out"));
    }
    if let Some(condition) = trimmed
        .strip_prefix("if ")
        .or_else(|| trimmed.strip_prefix("} else if "))
        .and_then(|it| it.strip_suffix(" {"))
        .filter(|it| !it.contains("let "))
    {
        let head = &trimmed[..trimmed.find("if ")? + 3];
        return Some((format!("{indent}{head}{on} != ({condition}) {{\n"), condition.to_owned(), "negated"));
    }
    if let Some((place, question)) = QUESTIONS.iter().find_map(|it| Some((trimmed.find(it)?, *it))) {
        let open = place + question.len();
        let body = open + trimmed[open..].find("| ")? + 2;
        let call = place + question.find('(')?;
        let end = call + closed(&trimmed[call..])? - 1;
        let inner = trimmed.get(body..end).filter(|it| !it.starts_with('{'))?;
        let new = format!("{indent}{}{on} != ({inner}){}\n", &trimmed[..body], &trimmed[end..]);
        return Some((new, inner.to_owned(), "negated"));
    }
    let pushes = [".push(", ".extend(", ".insert(", ".splice("].iter().any(|it| trimmed.contains(it));
    let first = trimmed.split(['.', '(']).next().unwrap_or_default();
    let is_name = !first.is_empty() && first.chars().all(|it| it.is_alphanumeric() || it == '_');
    if pushes && is_name && trimmed.ends_with(");") && closed_whole(trimmed) {
        return Some((format!("{indent}if !{on} {{ {trimmed} }}\n"), trimmed.to_owned(), "left out"));
    }
    None
}

/// The end of the first group in parentheses.
fn closed(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let (mut quoted, mut escaped) = (false, false);
    for (at, it) in text.char_indices() {
        match it {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// Whether all that is opened in a statement is closed in it.
fn closed_whole(statement: &str) -> bool {
    let count = |it: char| statement.matches(it).count();
    count('(') == count(')') && count('{') == count('}') && count('[') == count(']') && count('"') % 2 == 0
}

/// The tests of the copy, or the places that do not compile.
fn build(copy: &Path) -> Result<Result<PathBuf, BTreeSet<(PathBuf, usize)>>> {
    let mut build =
        cargo(&["test", "--no-run", "--lib", "--package", "lockkeeper-core", "--message-format", "short"]);
    build.current_dir(copy).env("CARGO_TARGET_DIR", copy.join("target")).env("CARGO_PROFILE_DEV_DEBUG", "0");
    eprintln!("$ {}", shown(&build));
    let output = build.output().context("cannot start cargo")?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() {
        let built = said.lines().rev().find_map(|it| it.split_once("Executable")?.1.split(['(', ')']).nth(1));
        return Ok(Ok(PathBuf::from(built.context("cargo names what it built")?)));
    }
    let place = |line: &str| {
        let mut parts = line.split(':');
        let file = parts.next()?.strip_prefix("core/src/")?;
        let number = parts.next()?.parse().ok()?;
        line.contains(": error").then(|| (PathBuf::from(file), number))
    };
    let places: BTreeSet<_> = said.lines().filter_map(place).collect();
    if places.is_empty() {
        bail!("the copy cannot be built:\n{said}");
    }
    Ok(Err(places))
}

/// Whether a test fails while a mutant is on.
fn is_noticed(tests: &Path, number: usize) -> Result<bool> {
    let mut run = Command::new(tests);
    run.env("LOCKKEEPER_MUTANT", number.to_string()).current_dir(root().join("core"));
    let mut child =
        run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("cannot start the tests")?;
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(!status.success());
        }
        if start.elapsed() > LONGEST {
            child.kill()?;
            child.wait()?;
            return Ok(true);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Option<&str>) {
        assert_eq!(mutated(line, 7).map(|it| it.0).as_deref(), expected);
    }

    #[test]
    fn lines_have_mutants() {
        check("    if a && b {\n", Some("    if crate::mutated(7) != (a && b) {\n"));
        check("    } else if a {\n", Some("    } else if crate::mutated(7) != (a) {\n"));
        check("    if let Some(a) = b {\n", None);
        check(
            "    let x = all.filter(|it| it.is_on(1)).count();\n",
            Some("    let x = all.filter(|it| crate::mutated(7) != (it.is_on(1))).count();\n"),
        );
        check("    steps.push(one(2));\n", Some("    if !crate::mutated(7) { steps.push(one(2)); }\n"));
        check("    steps.push(one(\n", None);
        check("    .enter_when(told(\")\"));\n", Some("    .unless(7, |it| it.enter_when(told(\")\")));\n"));
        check("    // if a {\n", None);
    }
}
