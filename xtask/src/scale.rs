//! `cargo xtask scale`: what inputs cost that are larger than those of any project, and whether the cost grows with them
//! in a line. The inputs are made by the same rules in every run, in the folder for temporary files: one of them must lie in
//! no repository.

use anyhow::Result;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::measure::{Usage, usage};
use crate::shell::{cargo, command, on_path, run, target};

/// An input, and what is asked of it.
struct Case {
    name: &'static str,
    /// Writes the input into an empty folder.
    make: fn(&Path) -> Result<()>,
    /// The arguments of `lockkeeper`, started in that folder.
    arguments: &'static [&'static str],
}

const CHECK: &[&str] = &["check", "--format", "json"];
const REFERENCES: &[&str] = &["references", "customer_orders.delivery_note"];

static CASES: &[Case] = &[
    Case { name: "migrations-5000-growing", make: |at| growing(at, 5_000), arguments: CHECK },
    Case { name: "migrations-20000-growing", make: |at| growing(at, 20_000), arguments: CHECK },
    Case { name: "migrations-50000-growing", make: |at| growing(at, 50_000), arguments: CHECK },
    Case { name: "migrations-5000-fixed", make: |at| fixed(at, 5_000), arguments: CHECK },
    Case { name: "migrations-20000-fixed", make: |at| fixed(at, 20_000), arguments: CHECK },
    Case { name: "migrations-50000-fixed", make: |at| fixed(at, 50_000), arguments: CHECK },
    Case { name: "statements-50000", make: |at| statements(at, 50_000), arguments: &["check", "one.sql"] },
    Case { name: "statements-200000", make: |at| statements(at, 200_000), arguments: &["check", "one.sql"] },
    Case { name: "copy-50MB", make: copy, arguments: &["check", "one.sql"] },
    Case { name: "tables-5000", make: |at| tables(at, 5_000), arguments: CHECK },
    Case { name: "tables-20000", make: |at| tables(at, 20_000), arguments: CHECK },
    Case { name: "columns-10000", make: |at| columns(at, 10_000), arguments: CHECK },
    Case { name: "columns-40000", make: |at| columns(at, 40_000), arguments: CHECK },
    Case { name: "columns-added-10000", make: |at| added(at, 10_000), arguments: CHECK },
    Case { name: "columns-added-40000", make: |at| added(at, 40_000), arguments: CHECK },
    Case { name: "file-beside-clones", make: clones, arguments: &["check", "one.sql"] },
    Case { name: "sources-1GB", make: sources, arguments: REFERENCES },
];

/// Measures the inputs whose names contain `name`.
pub fn measure(name: &str, binary: Option<&Path>, runs: usize) -> Result<()> {
    let binary = match binary {
        Some(binary) => fs::canonicalize(binary)?,
        None => {
            run(&mut cargo(&["build", "--release", "--package", "lockkeeper"]))?;
            target().join("release/lockkeeper")
        }
    };
    println!("| input | s of the processor | MB at most |\n|---|---|---|");
    for case in CASES.iter().filter(|case| case.name.contains(name)) {
        let folder = made(case)?;
        let used = median(runs, || command(&binary, case.arguments), &folder)?;
        println!("| {} | {:.2} | {:.0} |", case.name, used.seconds, used.megabytes);
        if case.arguments == REFERENCES && on_path("rg") {
            let words = ["--count", "-i", "-e", "customer_?order", "-e", "delivery_?note"];
            let used = median(runs, || command("rg", &words), &folder)?;
            println!("| {} (ripgrep) | {:.2} | {:.0} |", case.name, used.seconds, used.megabytes);
        }
    }
    Ok(())
}

/// The folder of a case, made where it is not there yet.
fn made(case: &Case) -> Result<PathBuf> {
    let folder = std::env::temp_dir().join("lockkeeper-scale").join(case.name);
    if !folder.is_dir() {
        let unfinished = folder.with_extension("unfinished");
        fs::remove_dir_all(&unfinished).ok();
        fs::create_dir_all(&unfinished)?;
        (case.make)(&unfinished)?;
        fs::rename(unfinished, &folder)?;
    }
    Ok(folder)
}

/// Time and memory each in the middle of their runs.
fn median(runs: usize, program: impl Fn() -> Command, folder: &Path) -> Result<Usage> {
    let mut used = Vec::new();
    for _ in 0..runs.max(1) {
        used.push(usage(program().current_dir(folder))?);
    }
    let middle = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    Ok(Usage {
        seconds: middle(used.iter().map(|it| it.seconds).collect()),
        megabytes: middle(used.iter().map(|it| it.megabytes).collect()),
    })
}

/// Says where the project ends, so that nothing above it counts.
fn project(at: &Path) -> Result<PathBuf> {
    fs::write(at.join("lockkeeper.toml"), "dialect = \"postgres\"\n")?;
    let migrations = at.join("migrations");
    fs::create_dir(&migrations)?;
    Ok(migrations)
}

/// A table in every fifth migration; the others alter the one before.
fn growing(at: &Path, count: usize) -> Result<()> {
    let migrations = project(at)?;
    for number in 0..count {
        let table = format!("table_{}", number / 5);
        let sql = match number % 5 {
            0 => created(&table),
            _ => altered(&table, number),
        };
        fs::write(migrations.join(format!("{:06}_change.sql", number + 1)), sql)?;
    }
    Ok(())
}

/// Fifty tables that all migrations alter.
fn fixed(at: &Path, count: usize) -> Result<()> {
    let migrations = project(at)?;
    for number in 0..count {
        let table = format!("table_{}", number % 50);
        let sql = if number < 50 { created(&table) } else { altered(&table, number / 50) };
        fs::write(migrations.join(format!("{:06}_change.sql", number + 1)), sql)?;
    }
    Ok(())
}

fn created(table: &str) -> String {
    format!(
        "CREATE TABLE {table} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, \
         price numeric(10, 2) DEFAULT 0, made_at timestamptz NOT NULL DEFAULT now());\n"
    )
}

/// One change of a table, of a kind that its number says.
fn altered(table: &str, number: usize) -> String {
    let change = match number % 4 {
        0 => format!("CREATE INDEX CONCURRENTLY {table}_{number} ON {table} (name, price);"),
        1 => format!("ALTER TABLE {table} ADD COLUMN c{number} int;"),
        2 => format!("ALTER TABLE {table} ADD CONSTRAINT k{number} CHECK (price > {number}) NOT VALID;"),
        _ => format!("ALTER TABLE {table} ADD COLUMN c{number} text DEFAULT 'new';"),
    };
    format!("SET lock_timeout = '1s';\n{change}\n")
}

fn statements(at: &Path, count: usize) -> Result<()> {
    project(at)?;
    let mut sql = created("orders");
    for number in 0..count {
        match number % 3 {
            0 => writeln!(sql, "INSERT INTO orders (name, price) VALUES ('order {number}', {number});")?,
            1 => writeln!(sql, "UPDATE orders SET price = price + 1 WHERE id = {number};")?,
            _ => writeln!(sql, "ALTER TABLE orders ALTER COLUMN price SET DEFAULT {number};")?,
        }
    }
    Ok(fs::write(at.join("one.sql"), sql)?)
}

fn copy(at: &Path) -> Result<()> {
    project(at)?;
    let mut sql = created("orders") + "COPY orders (id, name, price) FROM stdin;\n";
    let mut number = 0;
    while sql.len() < 50_000_000 {
        number += 1;
        writeln!(sql, "{number}\tit's order {number}; and \"so\" on\t{number}.50")?;
    }
    sql.push_str("\\.\nCREATE INDEX orders_name ON orders (name);\n");
    Ok(fs::write(at.join("one.sql"), sql)?)
}

fn tables(at: &Path, count: usize) -> Result<()> {
    let sql: String = (0..count).map(|number| created(&format!("table_{number}"))).collect();
    Ok(fs::write(project(at)?.join("000001_all.sql"), sql)?)
}

fn columns(at: &Path, count: usize) -> Result<()> {
    let columns: Vec<String> = (0..count).map(|number| format!("  c{number} text NOT NULL")).collect();
    let sql = format!("CREATE TABLE wide (\n{}\n);\n", columns.join(",\n"));
    Ok(fs::write(project(at)?.join("000001_wide.sql"), sql)?)
}

fn added(at: &Path, count: usize) -> Result<()> {
    let mut sql = created("wide");
    for number in 0..count {
        writeln!(sql, "ALTER TABLE wide ADD COLUMN c{number} text;")?;
    }
    Ok(fs::write(project(at)?.join("000001_wide.sql"), sql)?)
}

/// A file in a folder that is no project, beside other people's: the file alone is asked about.
fn clones(at: &Path) -> Result<()> {
    for clone in 0..20 {
        for folder in 0..200 {
            let inside = at.join(format!("clone_{clone}/src/part_{folder}"));
            fs::create_dir_all(&inside)?;
            for file in 0..50 {
                fs::write(inside.join(format!("module_{file}.ts")), "export const one = 1;\n")?;
            }
        }
        let migrations = at.join(format!("clone_{clone}/migrations"));
        fs::create_dir_all(&migrations)?;
        for number in 0..200 {
            fs::write(migrations.join(format!("{number:04}_a.sql")), created(&format!("t{number}")))?;
        }
    }
    Ok(fs::write(at.join("one.sql"), created("orders"))?)
}

/// 1 GB of programs in 20,000 files; one in a hundred names the table, half of these the column too.
fn sources(at: &Path) -> Result<()> {
    project(at)?;
    for number in 0..20_000 {
        let body = program(number, 50_000);
        let folder = at.join(format!("src/part_{}", number / 100));
        fs::create_dir_all(&folder)?;
        let used = match number % 200 {
            0 => {
                "const rows = await db.query(`SELECT id, delivery_note FROM customer_orders WHERE id = $1`);\n"
            }
            100 => "const rows = await db.query(`SELECT id FROM customer_orders`);\n",
            _ => "",
        };
        fs::write(folder.join(format!("module_{number}.ts")), format!("{body}{used}"))?;
    }
    Ok(())
}

/// Words of programs; those that begin like the names that are looked for among them.
const WORDS: &[&str] = &[
    "const",
    "let",
    "return",
    "if",
    "else",
    "for",
    "function",
    "import",
    "from",
    "export",
    "await",
    "async",
    "customer",
    "customers",
    "order",
    "orders",
    "item",
    "items",
    "delivery",
    "deliver",
    "note",
    "notes",
    "Customer",
    "Order",
    "user",
    "name",
    "price",
    "total",
    "rate",
    "id",
    "key",
    "value",
    "index",
    "count",
    "length",
    "map",
    "filter",
    "push",
    "data",
    "result",
    "error",
    "response",
    "request",
    "config",
    "options",
    "string",
    "number",
    "boolean",
];

/// A text of words and signs, the same for the same number.
fn program(number: usize, length: usize) -> String {
    let mut state = number as u64 + 1;
    let mut text = String::with_capacity(length + 100);
    while text.len() < length {
        text.push_str("  ");
        for sign in [" ", ".", "(", ", ", ") ", " = ", ";"] {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(WORDS[(state >> 33) as usize % WORDS.len()]);
            text.push_str(sign);
        }
        text.push('\n');
    }
    text
}
