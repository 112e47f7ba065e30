//! The tools of agents over MCP, with gates that only their human opens.
//!
//! The tools are the verbs of the command line; no analysis happens here. Both eras of the protocol are served on the
//! same pipe: with `initialize`, where the human is asked by a request to the client, and 2026-07-28, where the tool
//! answers that input is required and is called again.

mod gate;
mod human;
mod operations;
mod prompts;
mod resources;
mod server;
mod tools;
mod wire;
mod world;

use std::path::PathBuf;

use anyhow::Context;
use rmcp::ServiceExt;

/// Serves the project at `root` on standard input and output until the client goes away.
///
/// # Errors
/// When the session cannot start, or breaks.
pub async fn serve(root: PathBuf) -> anyhow::Result<()> {
    let server = server::Server::new(world::World::new(root)?);
    let session =
        server.serve(rmcp::transport::stdio()).await.context("the client did not begin a session")?;
    session.waiting().await.context("the session broke")?;
    Ok(())
}
