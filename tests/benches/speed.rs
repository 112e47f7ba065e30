//! How fast SQL is read and checked, beside sqlparser's bare tokenizer: the migrations of the corpus, or a generated
//! history of the same kind where it is absent.
//!
//! `cargo bench -p lockkeeper-tests --bench speed`

use std::path::{Path, PathBuf};

use divan::Bencher;
use divan::counter::BytesCount;
use lockkeeper_core::catalog::Catalog;
use lockkeeper_core::check::{Part, check, replay};
use lockkeeper_core::dialect::{Dialect, Target};
use lockkeeper_core::engine::lower::lower;
use lockkeeper_core::framework::Transaction;
use lockkeeper_core::statement::Script;
use lockkeeper_core::text::Span;

/// As in the binary; sqlparser's tokenizer has it as well.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

/// The SQL of PostgreSQL migrations, in order of path.
fn texts() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    let root = std::env::var_os("LOCKKEEPER_CORPUS").map_or(root, PathBuf::from);
    let mut paths = Vec::new();
    for project in ["crates.io", "hatchet", "langfuse/packages/shared/prisma", "harbor", "uaa"] {
        collect(&root.join(project), &mut paths);
    }
    paths.retain(|path| !["mysql", "hsqldb"].iter().any(|it| path.to_string_lossy().contains(it)));
    paths.sort();
    let texts: Vec<String> = paths.iter().filter_map(|path| std::fs::read_to_string(path).ok()).collect();
    if texts.is_empty() { generated() } else { texts }
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|it| it == "sql") {
            paths.push(path);
        }
    }
}

fn generated() -> Vec<String> {
    let table = |number: usize| {
        format!(
            "CREATE TABLE t{number} (id bigint PRIMARY KEY, name text NOT NULL DEFAULT 'x', at timestamptz DEFAULT now(), \
             other bigint REFERENCES t{} (id));\nCREATE INDEX t{number}_name ON t{number} (lower(name));\n\
             ALTER TABLE t{number} ADD COLUMN more int CHECK (more > 0);\nUPDATE t{number} SET more = 1 WHERE id = 5;\n",
            number.saturating_sub(1)
        )
    };
    (0..2_000).map(table).collect()
}

fn bytes(texts: &[String]) -> BytesCount {
    BytesCount::new(texts.iter().map(String::len).sum::<usize>())
}

fn part(text: &str) -> Part<'_> {
    Part { text, span: Span::new(0, text.len()), transaction: Transaction::Wrapped }
}

/// The yardstick.
#[divan::bench]
fn tokenizer_of_sqlparser(bencher: Bencher<'_, '_>) {
    let texts = texts();
    let dialect = sqlparser::dialect::PostgreSqlDialect {};
    bencher.counter(bytes(&texts)).bench(|| {
        for text in &texts {
            let _ = divan::black_box(
                sqlparser::tokenizer::Tokenizer::new(&dialect, text).tokenize_with_location(),
            );
        }
    });
}

#[divan::bench]
fn statements(bencher: Bencher<'_, '_>) {
    let texts = texts();
    bencher.counter(bytes(&texts)).bench(|| {
        for text in &texts {
            divan::black_box(Script::read(text, Dialect::Postgres));
        }
    });
}

#[divan::bench]
fn operations(bencher: Bencher<'_, '_>) {
    let texts = texts();
    bencher.counter(bytes(&texts)).bench(|| {
        for text in &texts {
            let script = Script::read(text, Dialect::Postgres);
            for statement in &script.statements {
                divan::black_box(lower(&script, statement));
            }
        }
    });
}

#[divan::bench]
fn history_replayed(bencher: Bencher<'_, '_>) {
    let texts = texts();
    let target = Target::default();
    bencher.counter(bytes(&texts)).bench(|| {
        let mut catalog = Catalog::empty(Dialect::Postgres);
        for text in &texts {
            replay(part(text), &target, &mut catalog);
        }
        catalog
    });
}

#[divan::bench]
fn history_checked(bencher: Bencher<'_, '_>) {
    let texts = texts();
    let target = Target::default();
    bencher.counter(bytes(&texts)).bench(|| {
        let mut catalog = Catalog::empty(Dialect::Postgres);
        for text in &texts {
            catalog = check(part(text), &target, &catalog).after;
        }
        catalog
    });
}
