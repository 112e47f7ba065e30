//! `lockkeeper ledger`: what every gate checks before it opens, shown; and a person's word that the ledger is right as it is.

use lockkeeper_approval::books::Books;
use lockkeeper_approval::ledger::{LedgerError, PATH};
use lockkeeper_approval::terminal;

use super::approve::now;
use crate::args::{LedgerArgs, LedgerCommand};
use crate::exit::{Exit, usage};
use crate::{output, place};

pub fn run(args: &LedgerArgs) -> anyhow::Result<Exit> {
    match &args.command {
        LedgerCommand::Verify { project } => verify(&Books::of(&place::project(project)?)?),
        LedgerCommand::Accept { project } => accept(&Books::of(&place::project(project)?)?),
    }
}

fn verify(books: &Books) -> anyhow::Result<Exit> {
    let entries = match books.ledger.entries(now()) {
        Ok(entries) => entries,
        Err(error) => return refused(error),
    };
    if entries.is_empty() {
        output::text_line("there is no ledger yet: nothing was asked or approved in this project");
        return Ok(Exit::Fine);
    }
    output::text_line(&format!("{} entries, each follows from the one before", entries.len()));
    let others: Vec<String> = entries
        .iter()
        .filter(|it| !books.ledger.is_authentic(it))
        .map(|it| it.sequence.to_string())
        .collect();
    if !others.is_empty() {
        output::text_line(&format!(
            "unauthenticated, written by somebody else or elsewhere, and open nothing here: lines {}",
            others.join(", ")
        ));
    }
    Ok(Exit::Fine)
}

fn accept(books: &Books) -> anyhow::Result<Exit> {
    let question = format!("Is {PATH} as it is now what it should be? Every approval that is open ends.");
    if !terminal::confirm(&question, "accept").map_err(|error| usage(error.to_string()))? {
        output::text_line("nothing changed");
        return Ok(Exit::GateClosed);
    }
    match books.ledger.accept(now()) {
        Ok(entries) => {
            output::text_line(&format!(
                "accepted, with {entries} entries; what was open is to be approved again"
            ));
            Ok(Exit::Fine)
        }
        Err(error) => refused(error),
    }
}

/// A ledger that cannot be trusted closes the gates; one that cannot be read is a failure of the environment.
fn refused(error: LedgerError) -> anyhow::Result<Exit> {
    match error {
        LedgerError::Io { .. } | LedgerError::State(_) => Err(error.into()),
        told => {
            output::text_line(&told.to_string());
            Ok(Exit::GateClosed)
        }
    }
}
