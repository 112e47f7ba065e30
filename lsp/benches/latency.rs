//! What an editor waits for, over the pipes of a real server: `LOCKKEEPER_BIN=… cargo bench -p lockkeeper-lsp --bench latency`.

mod history;

use std::path::Path;
use std::time::{Duration, Instant};

use history::{Client, Schema, generate};
use serde_json::{Value, json};
use tower_lsp::lsp_types::Url;

const ROUNDS: usize = 300;

fn main() {
    let Some(program) = std::env::var_os("LOCKKEEPER_BIN") else {
        println!("LOCKKEEPER_BIN names no server: nothing is measured");
        return;
    };
    println!("p50 / p99 in milliseconds");
    println!(
        "| migrations | schema | first | keystroke | hover | completion | definition | actions | peak memory |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for (schema, count) in [
        (Schema::Growing, 10),
        (Schema::Growing, 1000),
        (Schema::Growing, 5000),
        (Schema::Fixed, 5000),
        (Schema::Growing, 20_000),
    ] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let last = generate(folder.path(), count, schema);
        let start = Instant::now();
        let mut client = Client::start(Path::new(&program), folder.path(), &last);
        let first = start.elapsed().as_millis();
        let keys = shown(keystrokes(&mut client, &last));
        let asked = [
            ("textDocument/hover", json!({"position": {"line": 2, "character": 20}})),
            ("textDocument/completion", json!({"position": {"line": 3, "character": 30}})),
            ("textDocument/definition", json!({"position": {"line": 2, "character": 19}})),
            (
                "textDocument/codeAction",
                json!({"range": {"start": {"line": 1, "character": 35}, "end": {"line": 1, "character": 35}}, "context": {"diagnostics": []}}),
            ),
        ];
        let asked = asked.map(|(method, params)| shown(requests(&mut client, &last, method, &params)));
        println!("| {count} | {schema:?} | {first} | {keys} | {} | {} |", asked.join(" | "), client.memory());
    }
}

/// The median and the 99th percentile.
fn shown(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1000.0;
    format!("{:.1} / {:.1}", at(50), at(99))
}

/// Types a character, or takes it away again.
fn key(client: &mut Client, uri: &Url, number: usize) -> u64 {
    let column = "ALTER TABLE t1 RENAME COLUMN name TO full_name".len();
    let place = |character: usize| json!({"line": 1, "character": character});
    let (end, text) = if number.is_multiple_of(2) { (column, "x") } else { (column + 1, "") };
    let change = json!({"range": {"start": place(column), "end": place(end)}, "text": text});
    let version = number as u64 + 2;
    let params = json!({"textDocument": {"uri": uri, "version": version}, "contentChanges": [change]});
    client.notify("textDocument/didChange", params);
    version
}

fn keystrokes(client: &mut Client, uri: &Url) -> Vec<Duration> {
    let one = |number: usize| {
        let start = Instant::now();
        let version = key(client, uri, number);
        client.wait_for(|it| {
            it["method"] == "textDocument/publishDiagnostics" && it["params"]["version"] == version
        });
        let time = start.elapsed();
        // As fast as nobody types, and not so fast that keys are taken together.
        std::thread::sleep(Duration::from_millis(15));
        time
    };
    (0..ROUNDS).map(one).collect()
}

/// A request right behind a key, so that nothing of its answer is known.
fn requests(client: &mut Client, uri: &Url, method: &str, params: &Value) -> Vec<Duration> {
    let mut params = params.clone();
    params["textDocument"] = json!({"uri": uri});
    let one = |number: usize| {
        key(client, uri, ROUNDS + number);
        let start = Instant::now();
        let answer = client.request(method, params.clone());
        assert!(!answer["result"].is_null(), "{method}: {answer}");
        start.elapsed()
    };
    (0..ROUNDS).map(one).collect()
}
