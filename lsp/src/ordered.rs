//! The order of the wire around a server that has none.
//!
//! tower-lsp runs handlers concurrently, notifications included, so a change could overtake an earlier one. Its `call`,
//! however, comes in wire order: here documents change before anything later is looked at, and each request takes the
//! documents of its place along. Parameters are read leniently from the raw JSON, where tower-lsp drops what its types do
//! not know, and `exit` ends the process, where tower-lsp waits for the end of its input.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tower_lsp::jsonrpc::{Error, ErrorCode, Id, Request, Response};
use tower_lsp::lsp_types::Url;
use tower_lsp::{ExitedError, LspService};
use tower_service::Service;

use crate::documents::{Document, uri};
use crate::publish::Publisher;
use crate::server::{Backend, SNAPSHOT};
use crate::wire::MALFORMED;
use crate::world::World;

/// What was written just before the end still leaves.
const LAST_WORDS: Duration = Duration::from_millis(20);

/// The service in wire order.
pub(crate) struct Ordered {
    inner: LspService<Backend>,
    world: Arc<World>,
    publisher: Arc<Publisher>,
    ended: Arc<Ended>,
}

/// How the client ends.
#[derive(Debug)]
pub(crate) struct Ended {
    world: Arc<World>,
    exit: Notify,
}

impl Ended {
    /// 0 after `shutdown`, else 1.
    pub fn code(&self) -> i32 {
        i32::from(!self.world.is_shut_down())
    }

    /// Nothing more will be said.
    pub fn end(&self) {
        self.exit.notify_one();
    }

    /// Waits for the end.
    pub async fn wait(&self) -> i32 {
        self.exit.notified().await;
        tokio::time::sleep(LAST_WORDS).await;
        self.code()
    }
}

impl Ordered {
    pub fn new(
        inner: LspService<Backend>,
        world: Arc<World>,
        publisher: Arc<Publisher>,
    ) -> (Self, Arc<Ended>) {
        let ended = Arc::new(Ended { world: world.clone(), exit: Notify::new() });
        (Self { inner, world, publisher, ended: ended.clone() }, ended)
    }

    /// What a message changes at once. `true`: that was all of it.
    fn note(&self, method: &str, params: &Value) -> bool {
        match method {
            "initialize" => self.world.initialize(params),
            "shutdown" => self.world.shut_down(),
            "textDocument/didOpen" => self.opened(params),
            "textDocument/didChange" => self.changed(params),
            "textDocument/didClose" => self.closed(params),
            "textDocument/didSave" => self.publisher.disk_changed(uri(params).into_iter().collect()),
            "workspace/didChangeWatchedFiles" => self.publisher.disk_changed(watched(params)),
            "workspace/didChangeConfiguration" => {
                self.world.configure(&params["settings"]);
                self.publisher.configured();
            }
            "workspace/didChangeWorkspaceFolders" => {
                self.world.change_folders(&params["event"]);
                self.publisher.folders_changed();
            }
            "exit" => self.ended.end(),
            _ => {}
        }
        let ours = ["textDocument/did", "workspace/didChange", "exit"];
        ours.iter().any(|start| method.starts_with(start))
    }

    fn opened(&self, params: &Value) {
        match Document::opened(params) {
            Some(document) => {
                let uri = document.uri.clone();
                self.world.open(document);
                self.publisher.document_changed(&uri);
            }
            None => tracing::warn!("didOpen without a document"),
        }
    }

    fn changed(&self, params: &Value) {
        match self.world.change(params) {
            Some(uri) => self.publisher.document_changed(&uri),
            None => tracing::warn!("didChange of a document that is not open, or without sense"),
        }
    }

    fn closed(&self, params: &Value) {
        if let Some(uri) = uri(params) {
            self.world.close(&uri);
            self.publisher.document_closed(uri);
        }
    }
}

fn watched(params: &Value) -> Vec<Url> {
    let changes = params["changes"].as_array().into_iter().flatten();
    changes.filter_map(|it| Url::parse(it["uri"].as_str()?).ok()).collect()
}

/// `initialize` as tower-lsp reads it for sure; what it said was read before.
fn lenient(request: Request) -> Request {
    if request.method() != "initialize" {
        return request;
    }
    let build = Request::build("initialize").params(json!({"capabilities": {}}));
    match request.id() {
        Some(id) => build.id(id.clone()).finish(),
        None => build.finish(),
    }
}

/// The answer to a body that was no message.
fn malformed(id: Id, params: &Value) -> Response {
    let code = ErrorCode::from(params["code"].as_i64().unwrap_or(-32700));
    let message = params["message"].as_str().unwrap_or_default().to_owned().into();
    Response::from_error(id, Error { code, message, data: None })
}

fn panicked(id: Option<Id>, method: &str) -> Option<Response> {
    tracing::error!(method, "a handler panicked");
    let message = format!("{method} failed inside the server; its log says where").into();
    id.map(|id| Response::from_error(id, Error { message, ..Error::internal_error() }))
}

impl Service<Request> for Ordered {
    type Response = Option<Response>;
    type Error = ExitedError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (method, id) = (request.method().to_owned(), request.id().cloned());
        let params = request.params().unwrap_or(&Value::Null);
        if method == MALFORMED {
            return Box::pin(std::future::ready(Ok(id.map(|id| malformed(id, params)))));
        }
        let noted = catch_unwind(AssertUnwindSafe(|| self.note(&method, params)));
        match (noted, id.clone()) {
            (Err(_), id) => return Box::pin(async move { Ok(panicked(id, &method)) }),
            (Ok(true), None) => return Box::pin(async { Ok(None) }),
            // tower-lsp leaves such requests without an answer.
            (Ok(false), Some(id)) if method.starts_with("$/") => {
                return Box::pin(async { Ok(Some(Response::from_error(id, Error::method_not_found()))) });
            }
            _ => {}
        }
        tracing::debug!(method, "request");
        let handled = SNAPSHOT.scope(self.world.documents(), self.inner.call(lenient(request)));
        let handled = AssertUnwindSafe(handled).catch_unwind();
        Box::pin(async move { handled.await.unwrap_or_else(|_| Ok(panicked(id, &method))) })
    }
}
