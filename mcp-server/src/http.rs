//! The tools of agents on HTTP, for hosts that do not start the server themselves: on loopback alone, for who shows the token.
//!
//! The transport is rmcp's, in both eras: with `initialize` there are sessions, 2026-07-28 has none. What stands here is who may speak and
//! how much: a page of anybody else's may not (`Origin`), nor may a name that is made to point here (`Host`), and whoever speaks sends
//! no more and holds no longer than an agent needs.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::{TokioIo, TokioTimer};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, Semaphore};

use crate::server::Server;
use crate::token::Token;

/// Where the server is spoken to.
pub const PATH: &str = "/mcp";

/// A text of a migration fits in, as JSON.
const LARGEST_BODY: usize = 4 * 1024 * 1024;
/// So long a request may take to arrive, and a connection may say nothing before one.
const PATIENCE: Duration = Duration::from_secs(15);
const CONNECTIONS: usize = 128;
/// So many clients with `initialize` at a time.
const SESSIONS: usize = 32;
/// A session ends when nothing was said in it for so long: longer than a form stays open.
const QUIET: Duration = Duration::from_secs(1_800);

type Answer = Response<BoxBody<Bytes, Infallible>>;

struct Http {
    service: StreamableHttpService<Server, LocalSessionManager>,
    sessions: Arc<LocalSessionManager>,
    /// Held while a session begins, so that they are counted.
    beginning: Mutex<()>,
    token: Token,
}

/// A place to listen, on this machine alone.
///
/// # Errors
/// When the address is not one of loopback, or is taken.
pub async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    anyhow::ensure!(
        address.ip().is_loopback(),
        "{address} can be reached from other machines: name an address of loopback, 127.0.0.1:PORT"
    );
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
}

/// Serves until the process is asked to end.
pub async fn serve(server: Server, listener: TcpListener, token: Token) -> anyhow::Result<()> {
    let port = listener.local_addr()?.port();
    let mut sessions = LocalSessionManager::default();
    sessions.session_config.keep_alive = Some(QUIET);
    let sessions = Arc::new(sessions);
    let hosts = ["localhost", "127.0.0.1", "[::1]"].map(|it| format!("{it}:{port}"));
    let config = StreamableHttpServerConfig::default()
        .with_allowed_hosts(hosts.clone())
        .with_allowed_origins(hosts.map(|it| format!("http://{it}")))
        .with_max_request_body_bytes(LARGEST_BODY);
    let ended = config.cancellation_token.clone();
    let service = StreamableHttpService::new(move || Ok(server.clone()), Arc::clone(&sessions), config);
    let http = Arc::new(Http { service, sessions, beginning: Mutex::default(), token });
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut end = pin!(asked_to_end());
    loop {
        let place = Arc::clone(&places).acquire_owned().await?;
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut end => break,
        };
        let Ok((stream, _)) = accepted else {
            // Too many files are open, or the client is gone: the next may do better.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let http = Arc::clone(&http);
        tokio::spawn(async move {
            converse(http, stream).await;
            drop(place);
        });
    }
    ended.cancel();
    Ok(())
}

async fn asked_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => return,
                _ = tokio::signal::ctrl_c() => return,
            }
        }
    }
    // Where signals cannot be heard, they end the process by themselves.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The requests of one connection.
async fn converse(http: Arc<Http>, stream: TcpStream) {
    let service = hyper::service::service_fn(move |request| {
        let http = Arc::clone(&http);
        async move { Ok::<_, Infallible>(http.answer(request).await) }
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(PATIENCE).max_buf_size(64 * 1024);
    if let Err(error) = builder.serve_connection(TokioIo::new(stream), service).await {
        // A client that went away is nothing to tell.
        tracing::debug!("a connection ended: {error}");
    }
}

impl Http {
    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let (parts, body) = request.into_parts();
        if !self.token.is_shown(parts.headers.get(AUTHORIZATION).map(http::HeaderValue::as_bytes)) {
            let mut answer = said(StatusCode::UNAUTHORIZED, "show the token: `Authorization: Bearer TOKEN`");
            answer.headers_mut().insert(WWW_AUTHENTICATE, http::HeaderValue::from_static("Bearer"));
            return answer;
        }
        if parts.uri.path() != PATH {
            return said(StatusCode::NOT_FOUND, "the tools are at /mcp");
        }
        let body = match tokio::time::timeout(PATIENCE, Limited::new(body, LARGEST_BODY).collect()).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(error)) if error.is::<LengthLimitError>() => {
                return said(StatusCode::PAYLOAD_TOO_LARGE, "a request has at most 4 MiB");
            }
            Ok(Err(_)) => return said(StatusCode::BAD_REQUEST, "the request broke off"),
            Err(_) => return said(StatusCode::REQUEST_TIMEOUT, "the request did not arrive in time"),
        };
        let may_begin = parts.method == Method::POST && begins_session(&parts.headers);
        let request = Request::from_parts(parts, Full::new(body));
        if !may_begin {
            return self.service.handle(request).await;
        }
        let _beginning = self.beginning.lock().await;
        if self.sessions.sessions.read().await.len() >= SESSIONS {
            return said(
                StatusCode::SERVICE_UNAVAILABLE,
                "too many clients have a session: end one (DELETE), or wait until one has been quiet for half an hour",
            );
        }
        self.service.handle(request).await
    }
}

/// Whether a request may begin a session: it is in none, and not of 2026-07-28, which has none.
fn begins_session(headers: &HeaderMap) -> bool {
    let version = headers.get("mcp-protocol-version").and_then(|it| it.to_str().ok());
    !headers.contains_key("mcp-session-id") && version.is_none_or(|it| it < "2026-07-28")
}

fn said(status: StatusCode, text: &'static str) -> Answer {
    let body = Full::new(Bytes::from_static(text.as_bytes())).boxed();
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer
}
