//! A raw client of the language server: framed JSON over pipes and nothing between, so that order, cancelling and broken
//! messages can be tested too.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);

/// A running server and what it has said.
pub(crate) struct LanguageClient {
    server: Child,
    input: Option<ChildStdin>,
    messages: Receiver<Value>,
    /// Messages that arrived while another one was waited for, oldest first.
    pub(crate) unread: Vec<Value>,
    next_id: u64,
}

impl LanguageClient {
    /// Starts a server that speaks on its standard input and output.
    pub(crate) fn start(command: &mut Command) -> LanguageClient {
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut server = pipes.spawn().expect("the server starts");
        let input = server.stdin.take();
        let mut output = BufReader::new(server.stdout.take().expect("a pipe"));
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            while let Some(message) = read_message(&mut output) {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        LanguageClient { server, input, messages, unread: Vec::new(), next_id: 0 }
    }

    /// `initialize` and `initialized`; the answer.
    pub(crate) fn initialize(&mut self, root: &str, capabilities: Value) -> Value {
        self.initialize_with(root, capabilities, Value::Null)
    }

    /// The same with `initializationOptions`.
    pub(crate) fn initialize_with(&mut self, root: &str, capabilities: Value, settings: Value) -> Value {
        let params = json!({"processId": null, "rootUri": root, "capabilities": capabilities,
            "initializationOptions": settings, "workspaceFolders": [{"uri": root, "name": "test"}]});
        let answer = self.request("initialize", params);
        self.notify("initialized", json!({}));
        answer
    }

    /// Sends a request and waits for its answer: the whole message, with `result` or `error`.
    #[track_caller]
    pub(crate) fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.send_request(method, params);
        self.answer_of(id)
    }

    /// Sends a request and goes on.
    pub(crate) fn send_request(&mut self, method: &str, params: Value) -> u64 {
        self.next_id += 1;
        let id = self.next_id;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        id
    }

    pub(crate) fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    /// Sends any JSON, also what no client should.
    pub(crate) fn send(&mut self, message: &Value) {
        let body = message.to_string();
        let input = self.input.as_mut().expect("the input is open");
        write!(input, "Content-Length: {}\r\n\r\n{body}", body.len()).expect("the server reads");
        input.flush().expect("the server reads");
    }

    /// Sends a frame with any bytes for a body.
    pub(crate) fn send_body(&mut self, body: &[u8]) {
        let input = self.input.as_mut().expect("the input is open");
        write!(input, "Content-Length: {}\r\n\r\n", body.len()).expect("the server reads");
        input.write_all(body).expect("the server reads");
        input.flush().expect("the server reads");
    }

    /// Closes the server's input, as the end of a client does.
    pub(crate) fn close_input(&mut self) {
        drop(self.input.take());
    }

    /// Waits for the answer to a request. Other messages stay in `unread`.
    #[track_caller]
    pub(crate) fn answer_of(&mut self, id: u64) -> Value {
        self.wait_for(|message| message["id"] == id && message.get("method").is_none())
    }

    /// Waits for a notification or request of that method.
    #[track_caller]
    pub(crate) fn next(&mut self, method: &str) -> Value {
        self.wait_for(|message| message["method"] == method)
    }

    /// Waits for a message, first among the unread ones.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(index) = self.unread.iter().position(&wanted) {
            return self.unread.remove(index);
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.messages.recv_timeout(left) {
                Ok(message) if wanted(&message) => return message,
                Ok(message) => self.unread.push(message),
                Err(RecvTimeoutError::Timeout) => {
                    panic!("no such message in time; unread: {:#?}", self.unread)
                }
                Err(RecvTimeoutError::Disconnected) => panic!("the server ended; unread: {:#?}", self.unread),
            }
        }
    }

    /// `shutdown` and `exit`; how the process ended. The input stays open: a server must end without its closing.
    pub(crate) fn shut_down(mut self) -> ExitStatus {
        self.request("shutdown", Value::Null);
        self.notify("exit", Value::Null);
        self.ended()
    }

    /// Waits for the end of the process.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.server.try_wait().expect("our own child") {
                return status;
            }
            assert!(Instant::now() < deadline, "the server does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for LanguageClient {
    fn drop(&mut self) {
        drop(self.input.take());
        // Both fail when the server ended by itself, as it should.
        self.server.kill().ok();
        self.server.wait().ok();
    }
}

/// One framed message; nothing at the end of the stream or when the frame is broken.
fn read_message(output: &mut impl BufRead) -> Option<Value> {
    let mut length = None;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let header = line.trim_end();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("Content-Length: ") {
            length = value.parse().ok();
        }
    }
    let mut body = vec![0; length?];
    output.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that says everything back: what is sent is what is read, in order.
    #[test]
    fn messages_come_back_as_they_were_sent() {
        let mut client = LanguageClient::start(&mut Command::new("cat"));
        client.notify("first", json!({"text": "größer\r\n\r\n"}));
        client.notify("second", json!(null));
        let second = client.next("second");
        assert_eq!(second["params"], Value::Null);
        assert_eq!(client.unread.len(), 1);
        assert_eq!(client.next("first")["params"]["text"], "größer\r\n\r\n");
        drop(client.input.take());
        assert!(client.ended().success());
    }

    /// The smallest server: each request is answered with its own parameters, newest first of each two.
    const ECHO: &str = r#"
import json, sys
def read():
    length = int(sys.stdin.buffer.readline().split()[1]); sys.stdin.buffer.readline()
    return json.loads(sys.stdin.buffer.read(length))
def answer(message):
    body = json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": message["params"]}).encode()
    sys.stdout.buffer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body); sys.stdout.buffer.flush()
held = None
while (message := read())["method"] != "exit":
    if message["method"] == "hold": held = message
    elif "id" in message: answer(message); held = held and answer(held)
"#;

    #[test]
    fn answers_find_their_requests_in_any_order() {
        let mut client = LanguageClient::start(Command::new("python3").args(["-c", ECHO]));
        let answer = client.initialize("file:///shop", json!({"general": {}}));
        assert_eq!(answer["result"]["rootUri"], "file:///shop");
        let held = client.send_request("hold", json!(1));
        assert_eq!(client.request("textDocument/hover", json!(2))["result"], 2);
        assert_eq!(client.answer_of(held)["result"], 1);
        assert!(client.shut_down().success());
    }
}
