//! A keystroke in the last of many migrations: from `didChange` to the diagnostics, and the memory of a whole server.
//!
//! `cargo bench -p lockkeeper-lsp`. With `LOCKKEEPER_BIN` set, that program's peak memory is measured too (on Linux).

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use lockkeeper_lsp::{Document, World, diagnostics};
use serde_json::{Value, json};
use tower_lsp::lsp_types::Url;

const KEYSTROKES: usize = 2000;
const LAST: &str = "-- migrate:up\nALTER TABLE t1 RENAME COLUMN name TO full_name;\nCREATE INDEX i ON t2 (day);\nALTER TABLE t3 ALTER COLUMN day TYPE text;\n\n-- migrate:down\n";

/// What the history makes.
#[derive(Debug, Clone, Copy)]
enum Schema {
    /// The same 100 tables, changed again and again.
    Fixed,
    /// A table and a view more in every five migrations.
    Growing,
}

fn main() {
    let columns = ["migrations", "schema", "read ms", "p50 us", "p99 us", "max us", "peak memory"];
    println!("{}", columns.map(|it| format!("{it:>12}")).concat());
    for (schema, count) in
        [(Schema::Fixed, 500), (Schema::Fixed, 5000), (Schema::Growing, 500), (Schema::Growing, 5000)]
    {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let last = generate(folder.path(), count, schema);
        let start = Instant::now();
        let world = World::default();
        world.open(Document::new(last.clone(), 1, true, LAST));
        assert!(!diagnostics(&world, &last).is_empty(), "there is something to find");
        let read = start.elapsed().as_millis();
        let mut times = keystrokes(&world, &last);
        times.sort();
        let at = |share: usize| times[(times.len() - 1) * share / 100].as_micros();
        let memory =
            std::env::var_os("LOCKKEEPER_BIN").map(|it| memory(Path::new(&it), folder.path(), &last));
        let memory = memory.unwrap_or_else(|| "-".to_owned());
        let (p50, p99, max) = (at(50), at(99), at(100));
        let schema = format!("{schema:?}");
        println!("{count:>12}{schema:>12}{read:>12}{p50:>12}{p99:>12}{max:>12}{memory:>12}");
    }
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
fn generate(root: &Path, count: usize, schema: Schema) -> Url {
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

/// Types and deletes one character at the end of the first statement.
fn keystrokes(world: &World, uri: &Url) -> Vec<Duration> {
    let column = "ALTER TABLE t1 RENAME COLUMN name TO full_name".len();
    let place = |character: usize| json!({"line": 1, "character": character});
    (0..KEYSTROKES)
        .map(|number| {
            let (end, text) = if number % 2 == 0 { (column, "x") } else { (column + 1, "") };
            let change = json!({"range": {"start": place(column), "end": place(end)}, "text": text});
            let document = json!({"uri": uri, "version": number + 2});
            let params = json!({"textDocument": document, "contentChanges": [change]});
            let start = Instant::now();
            world.change(&params).expect("it is open");
            let found = diagnostics(world, uri);
            let time = start.elapsed();
            assert!(found.len() >= 3, "all hazards stay: {found:?}");
            time
        })
        .collect()
}

/// The peak memory of a server after its first answers.
fn memory(program: &Path, root: &Path, last: &Url) -> String {
    let mut command = Command::new(program);
    let mut server =
        command.arg("lsp").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut input = server.stdin.take().expect("a pipe");
    let mut output = BufReader::new(server.stdout.take().expect("a pipe"));
    let mut send = |message: Value| {
        let body = message.to_string();
        write!(input, "Content-Length: {}\r\n\r\n{body}", body.len()).expect("it reads");
    };
    let address = Url::from_file_path(root).expect("it is absolute");
    send(
        json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"rootUri": address, "capabilities": {}}}),
    );
    wait_for(&mut output, |it| it["id"] == 1);
    send(json!({"jsonrpc": "2.0", "method": "initialized", "params": {}}));
    let document = json!({"uri": last, "languageId": "sql", "version": 1, "text": LAST});
    send(json!({"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {"textDocument": document}}));
    wait_for(&mut output, |it| it["method"] == "textDocument/publishDiagnostics");
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).map(|it| it.trim().to_owned());
    server.kill().and_then(|()| server.wait()).expect("our own child");
    peak.unwrap_or_else(|| "not known".to_owned())
}

fn wait_for(output: &mut impl BufRead, wanted: impl Fn(&Value) -> bool) {
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            assert!(output.read_line(&mut line).expect("it writes") > 0, "the server ended");
            match line.trim_end().strip_prefix("Content-Length: ") {
                Some(value) => length = value.parse().expect("a number"),
                None if line.trim_end().is_empty() => break,
                None => {}
            }
        }
        let mut body = vec![0; length];
        output.read_exact(&mut body).expect("it writes");
        if wanted(&serde_json::from_slice(&body).expect("JSON")) {
            return;
        }
    }
}
