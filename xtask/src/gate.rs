//! `cargo xtask test`: every check, one after the other, with a summary. The first run builds all; it stays under 20 minutes
//! on two cores.

use crate::shell::{self, cargo};
use crate::{neovim, tools};
use anyhow::{Result, bail};
use std::time::{Duration, Instant};

type Step = (&'static str, fn() -> Result<()>);

const STEPS: &[Step] = &[
    ("tools", tools::install_missing),
    ("format", || shell::run(&mut cargo(&["fmt", "--all", "--check"]))),
    ("lint", || shell::run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))),
    ("build", || shell::run(&mut cargo(&["build", "--package", "lockkeeper"]))),
    ("test", test),
    ("vscode extension", crate::vscode::check),
    ("neovim", neovim::test),
];

struct Outcome {
    name: &'static str,
    time: Duration,
    error: Option<anyhow::Error>,
}

/// Runs all steps, also after a failure, so that one run tells everything; only missing tools end it at once.
fn run_steps(steps: &[Step]) -> Result<()> {
    let mut outcomes = Vec::new();
    for (name, step) in steps {
        eprintln!("\n== {name}");
        let start = Instant::now();
        let error = step().err();
        let time = start.elapsed();
        if let Some(error) = &error {
            eprintln!("{name}: {error:#}");
        }
        outcomes.push(Outcome { name, time, error });
        if *name == "tools" && outcomes.last().is_some_and(|it| it.error.is_some()) {
            break;
        }
    }
    summarise(&outcomes)
}

/// The whole gate.
pub fn run() -> Result<()> {
    run_steps(STEPS)
}

/// Not nextest: it gives each test a process, and the throw-away server is shared by the tests of one process.
fn test() -> Result<()> {
    shell::run(&mut cargo(&["test", "--workspace", "--no-fail-fast"]))
}

fn summarise(outcomes: &[Outcome]) -> Result<()> {
    eprintln!("\n== summary");
    for outcome in outcomes {
        let verdict = if outcome.error.is_none() { "ok" } else { "FAILED" };
        eprintln!("{:>8.1} s  {:<8} {}", outcome.time.as_secs_f64(), verdict, outcome.name);
    }
    let failed: Vec<_> = outcomes.iter().filter(|it| it.error.is_some()).map(|it| it.name).collect();
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    eprintln!("all is well");
    Ok(())
}
