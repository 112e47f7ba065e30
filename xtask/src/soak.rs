//! `cargo xtask soak`: the servers of agents called 100,000 times, killed 500 times, sixteen at a time on one
//! workspace, with every damage to what gates rest on, and 480 raced writes.

use crate::shell::{self, cargo, target};
use anyhow::Result;

/// Runs the tests of the gate in their whole size, against the program as it is handed out.
pub fn run() -> Result<()> {
    shell::run(&mut cargo(&["build", "--release", "--package", "lockkeeper"]))?;
    let arguments = [
        "test",
        "--package",
        "lockkeeper-tests",
        "agent::soak::",
        "--",
        "--nocapture",
        "--test-threads",
        "1",
    ];
    let program = target().join("release/lockkeeper");
    shell::run(cargo(&arguments).env("LOCKKEEPER_BIN", program).env("LOCKKEEPER_SOAK", "whole"))
}
