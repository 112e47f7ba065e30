//! `lockkeeper mcp`: the tools of agents on standard input and output, or on HTTP.

use anyhow::Context;

use crate::args::McpArgs;
use crate::exit::Exit;

pub fn mcp(args: &McpArgs) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Runtime::new().context("the runtime cannot start")?;
    let root = std::env::current_dir().context("the current folder cannot be read")?;
    match args.http {
        Some(address) => {
            runtime.block_on(lockkeeper_mcp::serve_http(root, address, args.token_file.as_deref()))?;
        }
        None => runtime.block_on(lockkeeper_mcp::serve(root))?,
    }
    Ok(Exit::Fine)
}
