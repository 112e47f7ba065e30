//! A raw client of `lockkeeper mcp`: a JSON line out, JSON lines in, in either era, with a human who answers as a test says.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// A server that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// How client and server speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Era {
    /// With `initialize`: forms are requests of the server.
    Initialize,
    /// 2026-07-28: a call that needs its human ends with a form, and is made again.
    Stateless,
}

/// What the human does with a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Human {
    /// Types the digest that the form ends with.
    Approves,
    /// Leaves the form open.
    IsAway,
}

/// A running server and what it has said.
pub(crate) struct Agent {
    server: Child,
    input: Option<ChildStdin>,
    messages: Receiver<Value>,
    era: Era,
    next_id: u64,
    pub(crate) human: Human,
    /// What the forms said.
    pub(crate) forms: Vec<String>,
    /// What was told without being asked for.
    pub(crate) notices: Vec<Value>,
}

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    /// The server ended, or does not listen.
    Ended,
    /// It said nothing in time.
    Silent,
}

impl Agent {
    /// Starts a server; with `initialize` the session begins.
    pub(crate) fn start(command: &mut Command, era: Era) -> Agent {
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = pipes.spawn().expect("the server starts");
        let input = server.stdin.take();
        let output = BufReader::new(server.stdout.take().expect("a pipe"));
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let message = serde_json::from_str(&line).expect("each line is JSON");
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let (human, forms, notices) = (Human::IsAway, Vec::new(), Vec::new());
        let mut agent = Agent { server, input, messages, era, next_id: 0, human, forms, notices };
        if era == Era::Initialize {
            let client = json!({"name": "raw", "version": "1"});
            let params = json!({"protocolVersion": "2025-06-18", "capabilities": {"elicitation": {}}, "clientInfo": client});
            agent.request("initialize", params).expect("the session begins");
            agent
                .send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))
                .expect("it listens");
        }
        agent
    }

    pub(crate) fn process(&self) -> u32 {
        self.server.id()
    }

    /// The answer of a tool: what is structured, or `{"error": …}`.
    #[track_caller]
    pub(crate) fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.try_call(tool, arguments).unwrap_or_else(|gone| panic!("{tool}: {gone:?}"))
    }

    pub(crate) fn try_call(&mut self, tool: &str, arguments: Value) -> Result<Value, Gone> {
        let params = json!({"name": tool, "arguments": arguments});
        let mut answer = self.request("tools/call", params.clone())?;
        if answer["result"]["resultType"] == "input_required"
            && let Some(second) = self.filled(params, &answer["result"])
        {
            answer = self.request("tools/call", second)?;
        }
        Ok(told(&answer))
    }

    /// The whole answer to a request.
    pub(crate) fn request(&mut self, method: &str, params: Value) -> Result<Value, Gone> {
        let id = self.begin(method, params)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.messages.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(message) if message["method"] == "elicitation/create" => self.asked(&message)?,
                Ok(message) if message["id"] == id => return Ok(message),
                Ok(message) => self.notices.push(message),
                Err(RecvTimeoutError::Timeout) => return Err(Gone::Silent),
                Err(RecvTimeoutError::Disconnected) => return Err(Gone::Ended),
            }
        }
    }

    /// Sends a request and goes on; its number.
    pub(crate) fn begin(&mut self, method: &str, mut params: Value) -> Result<u64, Gone> {
        self.next_id += 1;
        let id = self.next_id;
        if self.era == Era::Stateless {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientInfo": {"name": "raw", "version": "1"},
                "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}},
            });
        }
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))?;
        Ok(id)
    }

    fn send(&mut self, message: &Value) -> Result<(), Gone> {
        let input = self.input.as_mut().expect("the input is open");
        writeln!(input, "{message}").and_then(|()| input.flush()).map_err(|_| Gone::Ended)
    }

    /// A form that comes as a request of the server.
    fn asked(&mut self, question: &Value) -> Result<(), Gone> {
        let result = self.decides(question["params"]["message"].as_str().expect("a text"));
        let result = result.unwrap_or_else(|| json!({"action": "cancel"}));
        self.send(&json!({"jsonrpc": "2.0", "id": question["id"], "result": result}))
    }

    /// The second call of 2026-07-28, where the human answers.
    fn filled(&mut self, mut params: Value, result: &Value) -> Option<Value> {
        let requests = result["inputRequests"].as_object()?;
        let mut responses = serde_json::Map::new();
        for (name, request) in requests {
            responses.insert(name.clone(), self.decides(request["params"]["message"].as_str()?)?);
        }
        params["inputResponses"] = responses.into();
        params["requestState"] = result["requestState"].clone();
        Some(params)
    }

    fn decides(&mut self, form: &str) -> Option<Value> {
        self.forms.push(form.to_owned());
        let digest = form.trim_end().rsplit(' ').next().unwrap_or_default();
        (self.human == Human::Approves).then(|| json!({"action": "accept", "content": {"digest": digest}}))
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        drop(self.input.take());
        // It may have ended by itself.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// What a message says of a tool's call.
fn told(answer: &Value) -> Value {
    let result = &answer["result"];
    match result["structuredContent"].is_null() {
        false if result["isError"] != true => result["structuredContent"].clone(),
        _ if result["resultType"] == "input_required" => json!({"status": "asked"}),
        _ if result.is_null() => json!({"error": answer["error"]["message"]}),
        _ => json!({"error": result["content"][0]["text"]}),
    }
}
