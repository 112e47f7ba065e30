//! PostgreSQL's own regression SQL, read: how much of it we recognise, and that no prefix of it makes us panic. It is not
//! ours to hand on, so its absence is said: fetch `src/test/regress/sql` of postgres/postgres (or libpg_query's copy of it).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use lockkeeper_core::catalog::Catalog;
use lockkeeper_core::check::{Part, check};
use lockkeeper_core::dialect::{Dialect, Target, Version};
use lockkeeper_core::engine::lower::lower;
use lockkeeper_core::framework::Transaction;
use lockkeeper_core::operation::Kind;
use lockkeeper_core::statement::Script;
use lockkeeper_core::text::Span;

use crate::binaries::root;

/// The SQL files of a folder: named by a variable, or beside the checkout.
fn files(variable: &str, beside: &str) -> Vec<(String, String)> {
    let folder = std::env::var_os(variable).map_or_else(|| root().join("..").join(beside), PathBuf::from);
    let mut found = Vec::new();
    let mut open = vec![folder.clone()];
    while let Some(folder) = open.pop() {
        for path in std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|it| it == "sql")
                && let Ok(text) = std::fs::read_to_string(&path)
            {
                found.push((path.display().to_string(), text));
            }
        }
    }
    if found.is_empty() {
        println!("skipped: there is no SQL at {} ({variable})", folder.display());
    }
    found.sort();
    found
}

fn regress() -> Vec<(String, String)> {
    files("LOCKKEEPER_REGRESS", "pg-regress")
}

/// Statements by what became of them.
#[derive(Default)]
struct Counts {
    /// Psql's own commands and the data of COPY: skipped as such.
    parsed: usize,
    /// Recognised, and of no consequence for any relation.
    other: usize,
    unknown: usize,
}

#[test]
fn the_regression_sql_of_postgres_is_recognised() {
    let mut all = Counts::default();
    let mut unknown: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let files = regress();
    for (path, text) in &files {
        let script = Script::read(text, Dialect::Postgres);
        for statement in &script.statements {
            for operation in lower(&script, statement) {
                match &operation.kind {
                    Kind::Unknown(it) => {
                        all.unknown += 1;
                        let line = text[..operation.span.start].matches('\n').count() + 1;
                        let shown: String = operation.span.of(text).chars().take(90).collect();
                        let name = path.rsplit('/').next().unwrap_or(path);
                        let place = format!("{name}:{line}: {} | {}", it.reason, shown.replace('\n', " "));
                        unknown.entry(it.head.clone()).or_default().push(place);
                    }
                    Kind::Other(_) => all.other += 1,
                    _ => all.parsed += 1,
                }
            }
        }
    }
    for (head, places) in &unknown {
        println!("{:>4} {head}", places.len());
        places.iter().take(40).for_each(|place| println!("       {place}"));
    }
    let sum = all.parsed + all.other + all.unknown;
    println!(
        "{} files, {sum} operations: {} parsed, {} recognised as of no consequence, {} unknown",
        files.len(),
        all.parsed,
        all.other,
        all.unknown
    );
    // What is left is wrong on purpose: the suite tests the server's syntax errors too.
    assert!(all.unknown * 100 <= sum, "{} of {sum}", all.unknown);
}

/// Texts up to this size are cut at every byte, larger ones at every 97th.
const SMALL: usize = 3_000;
const STRIDE: usize = 97;
const WORKERS: usize = 2;
/// Debug builds on a busy machine are slow: what was not cut by then is said. `LOCKKEEPER_PREFIX_SECONDS` gives more.
const LONGEST: u64 = 15;

/// Cuts every text at many places, and checks what is left.
#[track_caller]
fn no_prefix_panics(files: &[(String, String)]) {
    let cuts: Vec<(usize, usize)> =
        files.iter().enumerate().flat_map(|(file, (_, text))| cuts(file, text)).collect();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let start = Instant::now();
    let seconds = std::env::var("LOCKKEEPER_PREFIX_SECONDS").ok().and_then(|it| it.parse().ok());
    let longest = Duration::from_secs(seconds.unwrap_or(LONGEST));
    let order = |number: usize| number.wrapping_mul(7_919) % cuts.len().max(1);
    let done = std::sync::Mutex::new(0_usize);
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                let mut own = 0;
                loop {
                    let number = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    if number >= cuts.len() || start.elapsed() > longest {
                        break;
                    }
                    let (file, at) = cuts[order(number)];
                    check_prefix(&files[file].1, at, &files[file].0);
                    own += 1;
                }
                *done.lock().expect("no worker panicked") += own;
            });
        }
    });
    let done = done.into_inner().expect("no worker panicked");
    println!(
        "{done} of {} prefixes of {} files, {:.0} s",
        cuts.len(),
        files.len(),
        start.elapsed().as_secs_f64()
    );
    assert!(files.is_empty() || done > 1_000, "{done} prefixes");
}

fn cuts(file: usize, text: &str) -> Vec<(usize, usize)> {
    let stride = if text.len() <= SMALL { 1 } else { STRIDE };
    (0..=text.len()).step_by(stride).filter(|at| text.is_char_boundary(*at)).map(|at| (file, at)).collect()
}

/// What stands further before a cut than this has been read whole in another one.
const WINDOW: usize = 8_000;

fn check_prefix(text: &str, at: usize, path: &str) {
    let mut start = at.saturating_sub(WINDOW);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    let prefix = &text[start..at];
    let run = || {
        let part = Part { text: prefix, span: Span::new(0, prefix.len()), transaction: Transaction::Wrapped };
        check(part, &Target::postgres(Version::major(15)), &Catalog::empty(Dialect::Postgres))
            .statements
            .len()
    };
    assert!(std::panic::catch_unwind(run).is_ok(), "{path}: a panic on the text up to byte {at}");
}

#[test]
fn no_prefix_of_the_regression_sql_panics() {
    no_prefix_panics(&regress());
}

#[test]
fn no_prefix_of_the_corpus_panics() {
    no_prefix_panics(&files("LOCKKEEPER_CORPUS", "shared/corpus"));
}
