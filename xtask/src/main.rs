//! `cargo xtask`: the gate, the editors' tests and the generators.

mod book;
mod conformance;
mod dist;
mod docs;
mod editors;
mod gate;
mod measure;
mod mutants;
mod neovim;
mod new_rule;
mod oracle;
mod pictures;
mod projects;
mod proof;
mod rehearse;
mod rooms;
mod scale;
mod shell;
mod soak;
mod squawk;
mod tools;
mod vscode;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Everything that is done to the project, rather than with it.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// The whole gate: install what is missing, format, lint, test, editors.
    Test,
    /// Real editors against the built server: Neovim, then VS Code with a click-through and a screenshot.
    Editors,
    /// Compare the effect table with another PostgreSQL than the installed one.
    Oracle {
        /// The folder of its `initdb` and `postgres`.
        #[arg(long)]
        bin_dir: std::path::PathBuf,
        /// Keep what a server of 19 does as its facts.
        #[arg(long)]
        record: bool,
    },
    /// Prove every recipe on other PostgreSQLs than the installed one, and keep the figures in docs/proofs.md.
    Proof {
        /// The folders of `initdb` and `postgres`; none: only write the page anew.
        #[arg(long, num_args = 0..)]
        bin_dir: Vec<std::path::PathBuf>,
        /// How often each backfill is killed and continued, about.
        #[arg(long, default_value_t = 25)]
        kills: usize,
    },
    /// Write the generated documents anew; a test checks that they are fresh.
    Docs,
    /// Make the book of docs/ in target/book; mdBook is built where it is not installed.
    Book,
    /// Draw the pictures of the book from what the commands say.
    Pictures,
    /// Make what is handed out for this platform: a tarball, a Debian package, npm packages, a wheel, the extension of VS Code, and their
    /// checksums.
    Dist {
        /// A program that was built before, instead of building one.
        #[arg(long)]
        program: Option<std::path::PathBuf>,
    },
    /// Install each package that `dist` made into an empty place without a toolchain, run it on the example, and show sizes and times.
    Rooms,
    /// Measure what large inputs cost, in processor time and memory: made again, the same in every run.
    Scale {
        /// Only the inputs whose names contain this.
        #[arg(default_value = "")]
        name: String,
        /// Another binary than the one of this tree, to compare with.
        #[arg(long)]
        binary: Option<std::path::PathBuf>,
        /// So many runs; the median is shown.
        #[arg(long, default_value_t = 5)]
        runs: usize,
    },
    /// Whether core's tests notice when a recipe, mechanic or strategy is wrong: mutants of their sources, built at once.
    Mutants {
        /// Only files whose path below core/src contains this.
        #[arg(default_value = "")]
        part: String,
        /// How many are tried.
        #[arg(long, default_value_t = 100)]
        sample: usize,
        /// Which ones.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Compare the processor time of a check with squawk's over the migrations of projects.
    Squawk {
        /// The roots of the projects.
        #[arg(required = true)]
        projects: Vec<std::path::PathBuf>,
    },
    /// Rehearse what `rewrite` makes of the migrations of projects, and count what went wrong; goes on where it was ended.
    Rehearse(rehearse::Asked),
    /// Try the server of agents with programs of others: the official conformance suite, the SDKs of TypeScript, the Inspector.
    Conformance,
    /// Wear the servers of agents out: 100,000 calls, 500 kills, sixteen servers on one workspace; takes about half an hour.
    Soak,
    /// Begin a rule: `new-rule locking/blocking-index-build`.
    NewRule {
        /// The group and the rule's id, kebab-case.
        rule: new_rule::RuleName,
    },
}

fn main() -> ExitCode {
    let result = match Arguments::parse().task {
        Task::Test => gate::run(),
        Task::Editors => editors::run(),
        Task::Oracle { bin_dir, record } => oracle::run(&bin_dir, record),
        Task::Proof { bin_dir, kills } => proof::run(&bin_dir, kills),
        Task::Docs => docs::run(),
        Task::Book => book::make(),
        Task::Pictures => pictures::draw_all(),
        Task::Dist { program } => dist::run_all(program.as_deref()),
        Task::Rooms => rooms::run_all(),
        Task::Scale { name, binary, runs } => scale::measure(&name, binary.as_deref(), runs),
        Task::Mutants { part, sample, seed } => mutants::run(&part, sample, seed),
        Task::Squawk { projects } => squawk::compare(&projects),
        Task::Rehearse(asked) => rehearse::run(&asked),
        Task::Conformance => conformance::run(),
        Task::Soak => soak::run(),
        Task::NewRule { rule } => new_rule::run(&rule),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
