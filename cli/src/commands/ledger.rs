//! `lockkeeper ledger`: edits, gaps and reordering are found.

use std::path::Path;
use std::process::Command;

use lockkeeper_approval::ledger::Ledger;
use lockkeeper_approval::ledger::verify::{extends, verify};

use crate::args::{LedgerArgs, LedgerCommand};
use crate::exit::Exit;
use crate::{output, place};

pub fn run(args: &LedgerArgs) -> anyhow::Result<Exit> {
    let LedgerCommand::Verify { project } = &args.command;
    let project = place::project(project)?;
    let bytes = Ledger::in_project(&project.root).bytes()?;
    if bytes.is_empty() {
        output::text_line("there is no ledger yet: nothing was asked or approved in this project");
        return Ok(Exit::Fine);
    }
    let entries = match verify(&bytes) {
        Ok(entries) => entries,
        Err(fault) => {
            output::text_line(&format!("{fault}"));
            return Ok(Exit::GateClosed);
        }
    };
    if let Some(committed) = committed(&project.root)
        && let Err(fault) = extends(&committed, &bytes)
    {
        output::text_line(&format!("{fault}"));
        return Ok(Exit::GateClosed);
    }
    output::text_line(&format!("{} entries, each follows from the one before", entries.len()));
    Ok(Exit::Fine)
}

/// The ledger as the last commit has it: the chain alone cannot show that its last lines were cut.
fn committed(root: &Path) -> Option<Vec<u8>> {
    let output = Command::new("git")
        .args(["show", "HEAD:./.lockkeeper/ledger.jsonl"])
        .current_dir(root)
        .stderr(std::process::Stdio::null())
        .output()
        .ok()?;
    output.status.success().then_some(output.stdout)
}
