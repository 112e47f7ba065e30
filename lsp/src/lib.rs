//! The language server: what each statement locks and whom it breaks, while it is typed.
//!
//! Documents change in wire order (`ordered`), every request sees the documents of its place in the stream, and nothing
//! here analyses: `lockkeeper_project::analysis` does.

mod documents;
mod abilities;
mod settings;
mod references;
mod world;
mod convert;
mod markdown;
mod names;
mod parent;
mod select;
mod handlers;
mod publish;
mod server;
mod wire;
mod ordered;

pub use documents::Document;
pub use world::World;

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tower_lsp::lsp_types::{Diagnostic, Url};
use tower_lsp::{LspService, Server};

/// What is published of an open document: all that happens between a keystroke and its squiggles, for the benches.
pub fn diagnostics(world: &World, uri: &Url) -> Vec<Diagnostic> {
    let documents = world.documents();
    let document = documents.get(uri);
    document
        .map(|it| convert::diagnostics(&world.view(it, &documents), &world.references))
        .unwrap_or_default()
}

/// Serves one client on standard input and output; the exit code that the protocol wants.
///
/// The runtime is not waited for: a read of standard input that never ends would keep the process.
pub fn serve() -> i32 {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "no runtime");
            return 3;
        }
    };
    let code = runtime.block_on(serve_here());
    runtime.shutdown_background();
    code
}

/// What was asked before the input ended is answered for so long.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// So much of the input waits between its reader and the server.
const PIPE: usize = 64 * 1024;

async fn serve_here() -> i32 {
    let world = Arc::new(World::default());
    let process = world.clone();
    let (service, socket) = LspService::new(|client| server::Backend::new(client, world.clone()));
    let publisher = service.inner().publisher.clone();
    let (ordered, ended) = ordered::Ordered::new(service, world, publisher);
    let (messages, sifted) = tokio::io::duplex(PIPE);
    let server = Server::new(sifted, tokio::io::stdout(), socket).concurrency_level(64);
    let input = wire::sift(tokio::io::BufReader::new(tokio::io::stdin()), messages);
    // Who waits for an answer of a client that is gone would wait for ever, so that the end of the input ends it all.
    let input_ended = input.then(|()| tokio::time::sleep(LAST_ANSWERS));
    tokio::select! {
        () = server.serve(ordered) => ended.code(),
        () = input_ended => ended.code(),
        code = ended.wait() => code,
        () = parent::gone(&process) => 1,
    }
}
