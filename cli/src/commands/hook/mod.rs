//! `lockkeeper hook HOST`: asked by an agent's program before each of its tools, it lets through, asks the human or refuses.
//!
//! A shell goes round a gate that only holds tools. This reads what the agent is about to run or write, runs nothing, and is closed on any
//! error. It is for mistakes and for honest agents: whoever hides a command from it in a program of their own gets past it, and a sandbox is
//! what holds those. docs/agents.md says what it catches.

mod databases;
mod files;
mod host;
mod judge;
mod places;
mod programs;
mod psql;
mod scripts;
mod shell;
#[cfg(test)]
mod tests;
mod verdict;

use std::io::Read;
use std::panic::catch_unwind;

use crate::args::HookArgs;
use crate::exit::{Exit, usage};
use crate::output;
use verdict::Verdict;

/// Longer calls are no calls.
const LONGEST: u64 = 20_000_000;

/// Ends with 2 on any error, which the hosts take for a refusal.
pub fn run(args: &HookArgs) -> anyhow::Result<Exit> {
    let mut input = String::new();
    let read = std::io::stdin().take(LONGEST).read_to_string(&mut input);
    let verdict = match read {
        Ok(_) => catch_unwind(|| decided(args, &input)).unwrap_or_else(|_| Err("the hook failed".to_owned())),
        Err(error) => Err(format!("the call cannot be read: {error}")),
    };
    let verdict = verdict.map_err(|why| usage(format!("nothing is let through: {why}")))?;
    if let Some(answer) = host::answer(args.host, &verdict) {
        output::text_line(&answer.to_string());
    }
    Ok(Exit::Fine)
}

fn decided(args: &HookArgs, input: &str) -> Result<Verdict, String> {
    judge::judge(&host::call(args.host, input)?)
}
