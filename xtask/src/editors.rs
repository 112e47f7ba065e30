//! `cargo xtask editors`: real editors against the built server. Heavier than the gate: it unpacks Neovim, code-server and
//! Chromium beside the system (about 1 GB).

use crate::{neovim, shell, tools, vscode};
use anyhow::Result;

/// Neovim, then VS Code.
pub fn run() -> Result<()> {
    tools::install_missing()?;
    shell::run(&mut shell::cargo(&["build", "--package", "lockkeeper"]))?;
    neovim::test()?;
    vscode::test()
}
