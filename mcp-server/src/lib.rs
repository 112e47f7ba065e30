//! The tools of agents over MCP, with gates that only their human opens.
//!
//! The tools are the verbs of the command line; no analysis happens here. Both eras of the protocol are served on the
//! same pipe: with `initialize`, where the human is asked by a request to the client, and 2026-07-28, where the tool
//! answers that input is required and is called again.

mod asked;
mod gate;
mod http;
mod human;
mod operations;
mod prompts;
mod resources;
mod server;
mod token;
mod tools;
mod wire;
mod world;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use rmcp::ServiceExt;

use crate::token::{Source, Token};

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

/// Serves the project at `root` on HTTP, on this machine alone, until the process is asked to end.
///
/// # Errors
/// When the address is not one of loopback or is taken, or there is no token that others cannot read.
pub async fn serve_http(root: PathBuf, address: SocketAddr, token_file: Option<&Path>) -> anyhow::Result<()> {
    let (token, source) = Token::of_user(token_file)?;
    let listener = http::listen(address).await?;
    let source = match source {
        Source::Environment => token::VARIABLE.to_owned(),
        Source::File(path) => path.display().to_string(),
    };
    // Whole, in one write: programs wait for it.
    let told =
        format!("listening on http://{}{}; the token is in {source}\n", listener.local_addr()?, http::PATH);
    eprint!("{told}");
    http::serve(server::Server::new(world::World::new(root)?), listener, token).await
}
