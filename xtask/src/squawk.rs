//! `cargo xtask squawk PROJECT...`: what `lockkeeper check` takes beside squawk, on the same files and in the same kind of output.

use anyhow::{Result, bail};
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use crate::dist;
use crate::measure::usage;
use crate::projects::{absolute, migrations};
use crate::shell::command;
use crate::tools;

/// What it is compared with.
pub const SQUAWK: &str = "squawk-cli==2.70.0";

/// So many pairs; the medians are shown.
const PAIRS: usize = 9;

/// Each side of a pair runs so often, since the clock of processor time ticks in hundredths.
const REPEATED: usize = 5;

/// Compares the two over the migrations that `lockkeeper check` finds in the projects: JSON with JSON, then what each shows people.
pub fn compare(projects: &[PathBuf]) -> Result<()> {
    let squawk = tools::install_from_pypi("squawk-venv", SQUAWK)?.join("bin/squawk");
    let lockkeeper = dist::build()?;
    let mut files = Vec::new();
    for project in projects {
        files.extend(migrations(&lockkeeper, project)?);
    }
    if files.is_empty() {
        bail!("these folders hold no migrations that are checked: name the roots of projects");
    }
    println!("{} files; medians of {PAIRS} pairs of {REPEATED} runs each", files.len());
    for (theirs, ours) in [("json", "json"), ("tty", "text")] {
        let mut pairs = Vec::new();
        for _ in 0..PAIRS {
            // squawk reads the files that are named; a few thousand fit into one command line.
            let squawks = repeated(|| vec![with(command(&squawk, &["--reporter", theirs]), &files)])?;
            let check = |project: &PathBuf| {
                with(command(&lockkeeper, &["check", "--format", ours]), &[absolute(project)?])
            };
            pairs.push((squawks, repeated(|| projects.iter().map(check).collect())?));
        }
        show(theirs, ours, &pairs);
    }
    Ok(())
}

/// A call with these arguments.
fn with(mut command: Command, arguments: &[PathBuf]) -> Result<Command> {
    command.args(arguments);
    Ok(command)
}

/// What one side of a pair took.
#[derive(Clone, Copy)]
struct Taken {
    processor: f64,
    wall: f64,
    megabytes: f64,
}

fn repeated(calls: impl Fn() -> Vec<Result<Command>>) -> Result<Taken> {
    let mut taken = Taken { processor: 0.0, wall: 0.0, megabytes: 0.0 };
    for _ in 0..REPEATED {
        for call in calls() {
            let start = Instant::now();
            let usage = usage(&mut call?)?;
            taken.wall += start.elapsed().as_secs_f64() / REPEATED as f64;
            taken.processor += usage.seconds / REPEATED as f64;
            taken.megabytes = taken.megabytes.max(usage.megabytes);
        }
    }
    Ok(taken)
}

/// One thing that is compared.
type Of = fn(&Taken) -> f64;

fn show(theirs: &str, ours: &str, pairs: &[(Taken, Taken)]) {
    println!("squawk --reporter {theirs}, lockkeeper check --format {ours}:");
    let of: [(&str, Of); 3] = [
        ("processor seconds", |it| it.processor),
        ("seconds on the wall", |it| it.wall),
        ("megabytes at most", |it| it.megabytes),
    ];
    for (what, of) in of {
        let squawk = median(pairs.iter().map(|(squawk, _)| of(squawk)));
        let own = median(pairs.iter().map(|(_, own)| of(own)));
        let ratio = median(pairs.iter().map(|(squawk, own)| of(own) / of(squawk)));
        println!("  {what}: {squawk:.3} and {own:.3}, ratio {ratio:.2}");
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
