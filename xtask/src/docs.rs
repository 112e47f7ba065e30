//! `cargo xtask docs`: writes the generated documents from what the code knows.

use crate::shell::{self, cargo};
use anyhow::Result;

/// The generators are tests that write when `UPDATE_EXPECT` is set, so that freshness and writing are one piece of code.
pub fn run() -> Result<()> {
    shell::run(cargo(&["test", "--package", "lockkeeper-tests", "docs::"]).env("UPDATE_EXPECT", "1"))
}
