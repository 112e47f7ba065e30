//! `lockkeeper lsp` and `lockkeeper mcp`

use anyhow::Context;

use crate::exit::Exit;

pub fn lsp() -> anyhow::Result<Exit> {
    Err(crate::exit::usage("the language server is not built in yet"))
}

pub fn mcp() -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Runtime::new().context("the runtime cannot start")?;
    let root = std::env::current_dir().context("the current folder cannot be read")?;
    runtime.block_on(lockkeeper_mcp::serve(root))?;
    Ok(Exit::Fine)
}
