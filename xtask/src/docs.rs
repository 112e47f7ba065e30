//! `cargo xtask docs`: writes the generated documents and schemas from what the code knows.

use crate::shell::{self, cargo};
use anyhow::Result;

/// The generators are tests that write when `UPDATE_EXPECT` is set, so that freshness and writing are one piece of code.
pub fn run() -> Result<()> {
    let generators: [&[&str]; 2] = [
        &["test", "--package", "lockkeeper", "schemas::"],
        &[
            "test",
            "--package",
            "lockkeeper-tests",
            "--",
            "docs::",
            "reference::",
            "versions::the_page",
            "exits::the_table_is_fresh",
        ],
    ];
    generators.iter().try_for_each(|it| shell::run(cargo(it).env("UPDATE_EXPECT", "1")))
}
