//! `lockkeeper mcp --http` by raw requests: who may speak, how much, and for how long. The SDK speaks to it in [`crate::mcp`].

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::workspace::Workspace;

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"raw","version":"1"}}}"#;

/// The status that it gets, what it is, and the headers in place of those of a good request.
type Case<'a> = (u16, &'a str, &'a [(&'a str, &'a str)]);

struct Served {
    process: Child,
    port: u16,
    token: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What came back: the status, 0 where the connection was closed without one, and all of it.
struct Answer {
    status: u16,
    text: String,
}

impl Served {
    fn start(workspace: &Workspace) -> Served {
        let mut command = workspace.command(&["mcp", "--http", "0"]);
        let mut process = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
        let mut told = String::new();
        let mut stderr = BufReader::new(process.stderr.take().expect("a pipe"));
        stderr.read_line(&mut told).expect("it tells where it listens");
        let port = told.split(':').nth(2).and_then(|it| it.split('/').next()).and_then(|it| it.parse().ok());
        let port = port.unwrap_or_else(|| panic!("{told}"));
        let path = told.trim_end().rsplit(' ').next().expect("a path");
        let token = fs::read_to_string(path).unwrap_or_else(|error| panic!("{told}: {error}"));
        Served { process, port, token }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(40))).expect("can be set");
        stream
    }

    /// Sends bytes as they are, and reads to the end.
    fn send(&self, bytes: &[u8]) -> Answer {
        let mut stream = self.connect();
        // A server that has heard enough stops listening.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let text = String::from_utf8_lossy(&answer).into_owned();
        let status = text.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or(0);
        Answer { status, text }
    }

    /// A request that would be answered, with headers put in place of its own.
    fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.request("POST", path, headers, body)
    }

    fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let host = format!("127.0.0.1:{}", self.port);
        let token = format!("Bearer {}", self.token);
        let length = body.len().to_string();
        let mut all = vec![
            ("Host", host.as_str()),
            ("Authorization", &token),
            ("Content-Type", "application/json"),
            ("Accept", "application/json, text/event-stream"),
            ("Content-Length", &length),
            ("Connection", "close"),
        ];
        all.retain(|(name, _)| !headers.iter().any(|it| it.0.eq_ignore_ascii_case(name)));
        let lines: String = all
            .iter()
            .chain(headers)
            .filter(|it| !it.1.is_empty())
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        self.send(format!("{method} {path} HTTP/1.1\r\n{lines}\r\n{body}").as_bytes())
    }
}

#[test]
fn only_who_shows_the_token_from_this_machine_is_answered() {
    let workspace = Workspace::new();
    let served = Served::start(&workspace);
    let command = fs::read(format!("/proc/{}/cmdline", served.process.id())).expect("Linux tells");
    assert!(!String::from_utf8_lossy(&command).contains(&served.token), "everybody reads the command line");
    let port = served.port;
    let (good, half) = (format!("Bearer {}", served.token), &served.token[..32]);
    let other = format!("127.0.0.1:{}", port ^ 1);
    let long = "x".repeat(1_000_000);
    let cases: &[Case<'_>] = &[
        (200, "as it should be", &[]),
        (200, "lower case", &[("Authorization", &good.replace("Bearer", "bearer"))]),
        (200, "localhost", &[("Host", &format!("localhost:{port}"))]),
        (401, "no token", &[("Authorization", "")]),
        (401, "no scheme", &[("Authorization", &served.token)]),
        (401, "another scheme", &[("Authorization", &format!("Basic {}", served.token))]),
        (401, "half of it", &[("Authorization", &format!("Bearer {half}"))]),
        (401, "more than it", &[("Authorization", &format!("{good}0"))]),
        (401, "nothing in it", &[("Authorization", "Bearer ")]),
        (401, "another name", &[("Authorization", ""), ("X-Authorization", &good)]),
        (401, "a cookie", &[("Authorization", ""), ("Cookie", &format!("token={}", served.token))]),
        (403, "another host", &[("Host", "evil.example")]),
        (403, "a host that points here", &[("Host", &format!("127.0.0.1.nip.io:{port}"))]),
        (403, "another port", &[("Host", &other)]),
        (403, "no port", &[("Host", "127.0.0.1")]),
        (200, "a page of its own, of which it has none", &[("Origin", &format!("http://127.0.0.1:{port}"))]),
        (403, "a page of this machine", &[("Origin", &format!("http://127.0.0.1:{}", port ^ 1))]),
        (403, "a page of this machine, encrypted", &[("Origin", &format!("https://127.0.0.1:{port}"))]),
        (
            403,
            "a page whose name begins like it",
            &[("Origin", &format!("http://127.0.0.1:{port}.evil.example"))],
        ),
        (403, "a page elsewhere", &[("Origin", "https://evil.example")]),
        (403, "a page without origin", &[("Origin", "null")]),
        (403, "a broken origin", &[("Origin", "x")]),
        (415, "another kind of text", &[("Content-Type", "text/plain")]),
        (406, "an answer that nobody reads", &[("Accept", "text/html")]),
        (404, "a session of nobody", &[("Mcp-Session-Id", "0123")]),
        (400, "an era that is none", &[("Mcp-Protocol-Version", "2030-01-01")]),
        (431, "long headers", &[("X-Long", &long)]),
    ];
    for (expected, name, headers) in cases {
        let answer = served.post("/mcp", headers, INITIALIZE);
        assert_eq!(answer.status, *expected, "{name}: {:.300}", answer.text);
        assert!(!answer.text.contains(&served.token), "{name}");
        let is_told = answer.text.contains("serverInfo");
        assert_eq!(is_told, *expected == 200, "{name}: {:.300}", answer.text);
    }
    let host = served.post("/mcp", &[("Host", "")], INITIALIZE).status;
    assert!(matches!(host, 400 | 403), "without a host: {host}");
    for path in ["/", "/mcp/", "/mcp/../mcp", "/%6dcp", "//mcp", &format!("/?token={}", served.token)] {
        assert_eq!(served.post(path, &[], INITIALIZE).status, 404, "{path}");
    }
    for method in ["PUT", "PATCH", "OPTIONS", "TRACE", "HEAD"] {
        assert_eq!(served.request(method, "/mcp", &[], "").status, 405, "{method}");
    }
    for body in ["", "{", "[]", "null", "\0", r#"{"jsonrpc":"1.0"}"#, &"[".repeat(100_000)] {
        let answer = served.post("/mcp", &[], body);
        assert!(matches!(answer.status, 400..=422), "{body:.20}: {:.200}", answer.text);
    }
    println!("{} requests of who may not speak, 0 answered", cases.len() - 4 + 1 + 6 + 5 + 7);
}

#[test]
fn nobody_sends_more_or_holds_longer_than_an_agent_needs() {
    let workspace = Workspace::new();
    let served = Served::start(&workspace);
    let large = format!("{}\"x\": \"{}\"}}", &INITIALIZE[..1], "x".repeat(5_000_000));
    assert_eq!(served.post("/mcp", &[], &large).status, 413);
    let chunks = format!("{:x}\r\n{}\r\n", 1_000_000, "x".repeat(1_000_000)).repeat(6) + "0\r\n\r\n";
    let chunked = [("Transfer-Encoding", "chunked"), ("Content-Length", "")];
    assert_eq!(served.post("/mcp", &chunked, &chunks).status, 413);
    // Forty begin a session; eight are too many.
    let begun: Vec<Answer> = (0..40).map(|_| served.post("/mcp", &[], INITIALIZE)).collect();
    let count = |status: u16| begun.iter().filter(|it| it.status == status).count();
    assert_eq!((count(200), count(503)), (32, 8));
    let session =
        begun[0].text.lines().find_map(|it| it.strip_prefix("mcp-session-id: ")).expect("a session");
    let ended = served.request("DELETE", "/mcp", &[("Mcp-Session-Id", session)], "").status;
    assert!(matches!(ended, 200..=204), "{ended}");
    assert_eq!(served.post("/mcp", &[("Mcp-Session-Id", session)], INITIALIZE).status, 404);
    assert_eq!(served.post("/mcp", &[], INITIALIZE).status, 200, "one may begin again");
    // Who says nothing is not waited for, be there ever so many; what does not arrive neither.
    let begun = Instant::now();
    let silent: Vec<TcpStream> = (0..200).map(|_| served.connect()).collect();
    let patient = served.post("/mcp", &[("Mcp-Session-Id", "0123")], INITIALIZE);
    assert_eq!(patient.status, 404, "{}", patient.text);
    drop(silent);
    let slow = served.post("/mcp", &[("Content-Length", "1000")], "{");
    assert_eq!(slow.status, 408, "{}", slow.text);
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}

#[test]
fn a_place_or_a_token_that_others_reach_is_refused() {
    let workspace = Workspace::new();
    let refused = |command: &mut Command, why: &str| {
        let output = command.stdin(Stdio::null()).output().expect("it starts");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && told.contains(why), "{told}");
    };
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80"] {
        refused(&mut workspace.command(&["mcp", "--http", address]), "only addresses of loopback");
    }
    let mut guessed = workspace.command(&["mcp", "--http", "0"]);
    refused(guessed.env("LOCKKEEPER_MCP_TOKEN", "hunter2"), "at least 24");
    let file = workspace.base().join("token");
    fs::write(&file, "0123456789abcdef0123456789abcdef\n").expect("can be written");
    fs::set_permissions(&file, Permissions::from_mode(0o644)).expect("is ours");
    let named = ["mcp", "--http", "0", "--token-file", file.to_str().expect("is text")];
    refused(&mut workspace.command(&named), "others can read");
    refused(
        &mut workspace.command(&["mcp", "--http", "0", "--token-file", "/nowhere/token"]),
        "cannot be read",
    );
    let own = workspace.state().join("mcp-token");
    drop(Served::start(&workspace));
    assert_eq!(fs::metadata(&own).expect("is there").permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&own, Permissions::from_mode(0o640)).expect("is ours");
    refused(&mut workspace.command(&["mcp", "--http", "0"]), "others than you can read or write");
}
