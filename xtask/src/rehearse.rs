//! `cargo xtask rehearse PROJECT...`: what `rewrite` makes of real migrations, carried out on throw-away servers.
//!
//! Each outcome is kept at once, so that a run that was ended goes on where it was; what has an outcome is not tried again.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::projects::{absolute, migrations};
use crate::shell::{command, root, target};

/// What is rehearsed.
#[derive(clap::Args)]
pub struct Asked {
    /// The roots of the projects, each in a folder of its own that no repository is around.
    #[arg(required = true)]
    projects: Vec<PathBuf>,
    /// At most so many migrations that can be rewritten, drawn by the seed; all where it is not said.
    #[arg(long)]
    sample: Option<usize>,
    /// What the sample is drawn with, and the rows are.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Rows of each touched table.
    #[arg(long, default_value_t = 300)]
    rows: u64,
    /// The program.
    #[arg(long)]
    program: Option<PathBuf>,
    /// Keep the table in docs/rehearsals.md.
    #[arg(long)]
    record: bool,
}

/// One migration.
struct Subject {
    project: String,
    root: PathBuf,
    path: String,
}

/// How it ended: `right`, `wrong`, `refused` (by rewrite) or `unrehearsed`, with the kind of reason.
#[derive(Clone)]
struct Outcome {
    project: String,
    end: String,
    reason: String,
}

pub fn run(asked: &Asked) -> Result<()> {
    let program = match &asked.program {
        Some(program) => absolute(program)?,
        None => target().join("debug/lockkeeper"),
    };
    let mut subjects = Vec::new();
    for project in &asked.projects {
        subjects.extend(of_project(&program, project)?);
    }
    let seed = asked.seed;
    subjects.sort_by_key(|it| Sha256::digest(format!("{seed} {} {}", it.project, it.path)).to_vec());
    let file = target().join(format!("rehearsals-{seed}-{}.jsonl", asked.rows));
    let mut known = known(&file)?;
    let mut outcomes = Vec::new();
    let mut rehearsed = 0;
    for subject in &subjects {
        if asked.sample.is_some_and(|most| rehearsed >= most) {
            break;
        }
        let name = format!("{}/{}", subject.project, subject.path);
        let outcome = match known.remove(&name) {
            Some(outcome) => outcome,
            None => {
                let outcome = carry_out(&program, subject, asked)?;
                println!("{} {name}: {}", outcome.end, outcome.reason);
                keep(&file, &name, &outcome)?;
                outcome
            }
        };
        rehearsed += usize::from(matches!(outcome.end.as_str(), "right" | "wrong"));
        outcomes.push(outcome);
    }
    let table = table(&outcomes, asked);
    println!("\n{table}");
    if asked.record {
        std::fs::write(root().join("docs/rehearsals.md"), table)?;
    }
    Ok(())
}

fn of_project(program: &Path, project: &Path) -> Result<Vec<Subject>> {
    let root = absolute(project)?;
    let name = root.file_name().context("a project has a name")?.to_string_lossy().into_owned();
    let files = migrations(program, &root)?;
    let files = files.into_iter().filter(|it| !it.ends_with("down.sql"));
    let path = |file: PathBuf| Some(file.strip_prefix(&root).ok()?.to_string_lossy().into_owned());
    let subject = |path| Subject { project: name.clone(), root: root.clone(), path };
    Ok(files.filter_map(path).map(subject).collect())
}

/// The outcomes of earlier runs, by migration.
fn known(file: &Path) -> Result<BTreeMap<String, Outcome>> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(error.into()),
    };
    let outcome = |line: &str| -> Result<(String, Outcome)> {
        let value: Value = serde_json::from_str(line)?;
        let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        Ok((text("name"), Outcome { project: text("project"), end: text("end"), reason: text("reason") }))
    };
    text.lines().map(outcome).collect()
}

fn keep(file: &Path, name: &str, outcome: &Outcome) -> Result<()> {
    let Outcome { project, end, reason } = outcome;
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(file)?;
    let line = json!({"name": name, "project": project, "end": end, "reason": reason});
    Ok(writeln!(file, "{line}")?)
}

fn carry_out(program: &Path, subject: &Subject, asked: &Asked) -> Result<Outcome> {
    let outcome =
        |end: &str, reason: String| Outcome { project: subject.project.clone(), end: end.to_owned(), reason };
    let mut rewrite = command(program, &["rewrite", &subject.path, "--format", "json"]);
    let rewrite = rewrite.current_dir(&subject.root).output()?;
    if !rewrite.status.success() {
        return Ok(outcome("refused", said(&rewrite.stderr)));
    }
    let (rows, seed) = (asked.rows.to_string(), asked.seed.to_string());
    let arguments = ["rehearse", &subject.path, "--rewritten", "--rows", &rows, "--seed", &seed];
    let mut rehearsal = command(program, &arguments);
    let rehearsal = rehearsal.args(["--format", "json"]).current_dir(&subject.root).output()?;
    match rehearsal.status.code() {
        Some(0) => Ok(outcome("right", String::new())),
        Some(1) => {
            let report = serde_json::from_slice(&rehearsal.stdout)?;
            Ok(match fails_as_written(&report) {
                Some(how) => outcome("unrehearsed", how),
                None => outcome("wrong", wrong(&report)),
            })
        }
        Some(_) => Ok(outcome("unrehearsed", said(&rehearsal.stderr))),
        None => bail!("the rehearsal of {} was killed", subject.path),
    }
}

/// What a program said, in a line without what differs from file to file.
fn said(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.lines().next().unwrap_or_default().trim_start_matches("lockkeeper: ").to_owned()
}

/// How a step fails just as the migration does as it is written, on the same rows: then nothing can be said of the rewrite.
fn fails_as_written(report: &Value) -> Option<String> {
    let error = report["errors"].as_array()?.iter().find(|it| it["release"].is_null())?;
    let said = format!("{} {}", text(&error["sqlstate"]), text(&error["message"]));
    let notes = report["notes"].as_array()?.iter().map(text);
    let same =
        |it: &&str| it.starts_with("as it is written the migration fails on any rows") && it.contains(&said);
    notes.into_iter().find(same).map(ToOwned::to_owned)
}

/// What went wrong first.
fn wrong(report: &Value) -> String {
    let list = |key: &str| report[key].as_array().cloned().unwrap_or_default();
    if let Some(error) = list("errors").first() {
        let who = error["release"].as_str().unwrap_or("a step");
        let at = format!("step {} {}", error["step"], error["direction"].as_str().unwrap_or_default());
        return format!("{who} failed, {at}: {} {}", text(&error["sqlstate"]), text(&error["message"]));
    }
    match list("differences").first() {
        Some(it) => {
            format!("{} differs after {}: {}", text(&it["kind"]), text(&it["after"]), text(&it["what"]))
        }
        None => "somebody waited too long".to_owned(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// As much of a reason as anybody reads in a list.
fn in_short(reason: &str) -> String {
    const MOST: usize = 160;
    let words: Vec<&str> =
        reason.split(|it: char| it.is_whitespace() || it == '|').filter(|it| !it.is_empty()).collect();
    let text = words.join(" ");
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The page: a row for each project, then everything that was wrong.
fn table(outcomes: &[Outcome], asked: &Asked) -> String {
    let mut projects: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for it in outcomes {
        *projects.entry(&it.project).or_default().entry(&it.end).or_default() += 1;
    }
    let mut all: BTreeMap<&str, usize> = BTreeMap::new();
    for (end, count) in projects.values().flatten() {
        *all.entry(end).or_default() += count;
    }
    let row = |name: &str, ends: &BTreeMap<&str, usize>| {
        let count = |end: &str| ends.get(end).copied().unwrap_or_default();
        let (right, wrong) = (count("right"), count("wrong"));
        let looked_at = right + wrong + count("refused") + count("unrehearsed");
        let (refused, unrehearsed) = (count("refused"), count("unrehearsed"));
        format!(
            "| {name} | {looked_at} | {refused} | {unrehearsed} | {} | {right} | {wrong} |",
            right + wrong
        )
    };
    let mut rows: Vec<String> = projects.iter().map(|(name, ends)| row(name, ends)).collect();
    rows.push(row("all", &all));
    let mut wrong: Vec<String> = outcomes
        .iter()
        .filter(|it| it.end == "wrong")
        .map(|it| format!("- {}: {}", it.project, in_short(&it.reason)))
        .collect();
    wrong.sort();
    let how = match asked.sample {
        Some(most) => format!("a sample of {most}, drawn by the seed {}", asked.seed),
        None => format!("all of them, with the seed {}", asked.seed),
    };
    format!(
        "# Rehearsals of real migrations\n\n\
         What `rewrite` makes of the migrations of real projects, carried out by `lockkeeper rehearse --rewritten` with {} rows a table, beside clients of each\n\
         release, up, all the way back, and up again: {how}. `cargo xtask rehearse PROJECT... --record` makes this page, and goes on where it was ended.\n\n\
         | project | looked at | nothing to rewrite, or refused | not rehearsed | rehearsed | right | wrong |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n{}\n\n\
         *Right*: no statement of a live release failed, nobody waited for more than two seconds, schema and rows are what the migration makes as it is written, and the\n\
         way back leads back. *Not rehearsed*: the history or the migration does not run on a server of its own as it is written.\n\n\
         What was wrong, with what was seen first:\n\n{}\n",
        asked.rows,
        rows.join("\n"),
        if wrong.is_empty() { "- nothing".to_owned() } else { wrong.join("\n") },
    )
}
