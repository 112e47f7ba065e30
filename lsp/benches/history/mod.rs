//! Histories of any length for the benches, and a server over them by its pipes.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use tower_lsp::lsp_types::Url;

/// The migration that is typed in.
pub const LAST: &str = "-- migrate:up\nALTER TABLE t1 RENAME COLUMN name TO full_name;\nCREATE INDEX i ON t2 (day);\nALTER TABLE t3 ALTER COLUMN day TYPE text;\n\n-- migrate:down\n";

/// What the history makes.
#[derive(Debug, Clone, Copy)]
pub enum Schema {
    /// The same 100 tables, changed again and again.
    Fixed,
    /// A table and a view more in every five migrations.
    Growing,
}

impl Schema {
    fn migration(self, number: usize) -> String {
        let table = match self {
            Self::Fixed => number % 100,
            Self::Growing => number.div_ceil(5),
        };
        match (self, number / 100 % 2, number % 5) {
            (Self::Fixed, _, _) if number <= 100 => create(table),
            (Self::Fixed, 0, _) => format!("ALTER TABLE t{table} ADD COLUMN more integer DEFAULT 0;"),
            (Self::Fixed, _, _) => format!("ALTER TABLE t{table} DROP COLUMN IF EXISTS more;"),
            (Self::Growing, _, 1) => create(table),
            (Self::Growing, _, 2) => format!("CREATE INDEX t{table}_name ON t{table} (name);"),
            (Self::Growing, _, 3) => format!("ALTER TABLE t{table} ADD COLUMN more integer DEFAULT 0;"),
            (Self::Growing, _, 4) => format!("ALTER TABLE t{table} ADD CHECK (id > 0) NOT VALID;"),
            (Self::Growing, _, _) => format!("CREATE VIEW v{number} AS SELECT id, name FROM t{table};"),
        }
    }
}

fn create(table: usize) -> String {
    format!("CREATE TABLE t{table} (id bigint PRIMARY KEY, name text NOT NULL, day date, note text);")
}

/// The files of a history, and the one that is typed in.
pub fn generate(root: &Path, count: usize, schema: Schema) -> Url {
    let folder = root.join("db/migrations");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(root.join("lockkeeper.toml"), "dialect = \"postgres\"\n").expect("written");
    for number in 1..count {
        let text = format!("-- migrate:up\n{}\n\n-- migrate:down\n", schema.migration(number));
        let name = format!("{:014}_m.sql", 20_200_101_000_000 + number);
        std::fs::write(folder.join(name), text).expect("written");
    }
    let last = folder.join("20990101000000_last.sql");
    std::fs::write(&last, LAST).expect("written");
    Url::from_file_path(last.canonicalize().expect("it is there")).expect("it is absolute")
}

/// A server over a project, with its last migration open.
pub struct Client {
    server: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    next_id: u64,
}

impl Client {
    /// Starts the server, and waits for the first diagnostics of the file.
    pub fn start(program: &Path, root: &Path, last: &Url) -> Self {
        let mut command = Command::new(program);
        let mut server =
            command.arg("lsp").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
        let input = server.stdin.take().expect("a pipe");
        let output = BufReader::new(server.stdout.take().expect("a pipe"));
        let mut client = Self { server, input, output, next_id: 0 };
        let address = Url::from_file_path(root).expect("it is absolute");
        client.request("initialize", json!({"rootUri": address, "capabilities": {}}));
        client.notify("initialized", json!({}));
        let document = json!({"uri": last, "languageId": "sql", "version": 1, "text": LAST});
        client.notify("textDocument/didOpen", json!({"textDocument": document}));
        client.wait_for(|it| it["method"] == "textDocument/publishDiagnostics");
        client
    }

    fn send(&mut self, message: &Value) {
        let body = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{body}", body.len()).expect("it reads");
    }

    pub fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    pub fn request(&mut self, method: &str, params: Value) -> Value {
        self.next_id += 1;
        let id = self.next_id;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        self.wait_for(|it| it["id"] == id && it.get("method").is_none())
    }

    pub fn wait_for(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message = self.read();
            if wanted(&message) {
                return message;
            }
        }
    }

    fn read(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            assert!(self.output.read_line(&mut line).expect("it writes") > 0, "the server ended");
            match line.trim_end().strip_prefix("Content-Length: ") {
                Some(value) => length = value.parse().expect("a number"),
                None if line.trim_end().is_empty() => break,
                None => {}
            }
        }
        let mut body = vec![0; length];
        self.output.read_exact(&mut body).expect("it writes");
        serde_json::from_slice(&body).expect("JSON")
    }

    /// Its peak memory so far, on Linux.
    pub fn memory(&self) -> String {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.server.id())).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak.map_or_else(|| "not known".to_owned(), |it| it.trim().to_owned())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.server.kill().and_then(|()| self.server.wait()).expect("our own child");
    }
}
