//! A keystroke in the last of many migrations: from `didChange` to the diagnostics, and the memory of a whole server.
//!
//! `cargo bench -p lockkeeper-lsp --bench keystroke`. With `LOCKKEEPER_BIN` set, that program's peak memory is measured too (on Linux).

mod history;

use std::path::Path;
use std::time::{Duration, Instant};

use history::{Client, LAST, Schema, generate};
use lockkeeper_lsp::{Document, World, diagnostics};
use serde_json::json;
use tower_lsp::lsp_types::Url;

const KEYSTROKES: usize = 2000;

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
        let memory = std::env::var_os("LOCKKEEPER_BIN")
            .map(|it| Client::start(Path::new(&it), folder.path(), &last).memory());
        let memory = memory.unwrap_or_else(|| "-".to_owned());
        let (p50, p99, max) = (at(50), at(99), at(100));
        let schema = format!("{schema:?}");
        println!("{count:>12}{schema:>12}{read:>12}{p50:>12}{p99:>12}{max:>12}{memory:>12}");
    }
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
