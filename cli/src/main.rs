//! The one binary: `check`, `effect`, `plan`, `rewrite`, …, `lockkeeper lsp`, `lockkeeper mcp`.

mod args;
mod attended;
mod commands;
mod diff;
mod exit;
mod output;
mod place;
#[cfg(test)]
mod schemas;

use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;

use args::{Args, Command};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    start_log();
    let result = match args.command {
        Command::Check(args) => commands::check::run(&args),
        Command::Effect(args) => commands::effect::run(&args),
        Command::Explain(args) => commands::explain::run(&args),
        Command::References(args) => commands::references::run(&args),
        Command::Schema(args) => commands::schema::run(&args),
        Command::Review(args) => commands::review::run(&args),
        Command::Rewrite(args) => commands::rewrite::run(&args),
        Command::Signals(args) => commands::signals::run(&args),
        Command::Plan(args) => commands::plan::run(&args),
        Command::Rehearse(args) => commands::rehearse::run(&args),
        Command::Approve(args) => commands::approve::run(&args),
        Command::Reject(args) => commands::approve::reject(&args),
        Command::Revoke(args) => commands::approve::revoke(&args),
        Command::Gates(args) => commands::gates::run(&args),
        Command::Ledger(args) => commands::ledger::run(&args),
        Command::Hook(args) => commands::hook::run(&args),
        // Not through `exit`: the protocol says what the code is, and an unread standard input must not keep the process.
        Command::Lsp { .. } => std::process::exit(lockkeeper_lsp::serve()),
        Command::Mcp(args) => commands::serve::mcp(&args),
        Command::Init(args) => commands::init::run(&args),
        Command::Completions { shell } => commands::generate::completions(shell),
        Command::Man { out } => commands::generate::man(out.as_deref()),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(error) => exit::report(&error),
    }
}

/// The log goes to stderr: stdout is the answer.
fn start_log() {
    let asked = std::env::var("LOCKKEEPER_LOG").ok().and_then(|it| it.parse::<Targets>().ok());
    let filter = asked.unwrap_or_else(|| {
        Targets::new().with_default(LevelFilter::WARN).with_target("sqlx", LevelFilter::OFF)
    });
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(!anstyle_query::no_color() && std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_writer(std::io::stderr);
    let subscriber = tracing_subscriber::registry().with(lines).with(filter);
    // It is set once, here: a second subscriber cannot be there.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
