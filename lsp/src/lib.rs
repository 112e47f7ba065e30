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
mod handlers;
mod publish;
mod server;
mod ordered;

pub use documents::Document;
pub use world::World;

use std::sync::Arc;

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

async fn serve_here() -> i32 {
    let world = Arc::new(World::default());
    let (service, socket) = LspService::new(|client| server::Backend::new(client, world.clone()));
    let publisher = service.inner().publisher.clone();
    let (ordered, ended) = ordered::Ordered::new(service, world, publisher);
    let server = Server::new(tokio::io::stdin(), tokio::io::stdout(), socket).concurrency_level(64);
    tokio::select! {
        () = server.serve(ordered) => ended.code(),
        code = ended.wait() => code,
    }
}
