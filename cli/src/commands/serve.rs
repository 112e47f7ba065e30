//! `lockkeeper mcp`: the tools of agents on standard input and output.

use anyhow::Context;

use crate::exit::Exit;

pub fn mcp() -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Runtime::new().context("the runtime cannot start")?;
    let root = std::env::current_dir().context("the current folder cannot be read")?;
    runtime.block_on(lockkeeper_mcp::serve(root))?;
    Ok(Exit::Fine)
}
