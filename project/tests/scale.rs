//! Costs that grow with the input in a line: the time of four times as much is less than ten times the time.
//!
//! What was quadratic once took sixteen times as long. `cargo xtask scale` measures the same on larger inputs.

use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use lockkeeper_core::dialect::{Dialect, Target};
use lockkeeper_core::policy::Policy;
use lockkeeper_project::analysis::check_alone;
use lockkeeper_project::discover::{self, Place};

const MOST: f64 = 10.0;

/// The best of a few runs: a busy machine only makes it slower.
fn best(mut run: impl FnMut()) -> Duration {
    let timed = |run: &mut dyn FnMut()| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    (0..5).map(|_| timed(&mut run)).min().unwrap_or_default()
}

#[track_caller]
fn grows_in_a_line(of_few: Duration, of_many: Duration) {
    let ratio = of_many.as_secs_f64() / of_few.as_secs_f64().max(1e-9);
    assert!(ratio < MOST, "four times as much takes {ratio:.1} times as long: {of_few:?}, {of_many:?}");
}

#[track_caller]
fn check_grows_in_a_line(few: usize, sql: impl Fn(usize) -> String) {
    let target = Target { dialect: Dialect::Postgres, ..Target::default() };
    let time = |count: usize| {
        let sql = sql(count);
        best(|| {
            check_alone("a.sql", &sql, &target, &Policy::default());
        })
    };
    grows_in_a_line(time(few), time(4 * few));
}

#[test]
fn finding_all_files_of_a_history() {
    let time = |count: usize| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("scale_{count}"));
        let migrations = folder.join("migrations");
        std::fs::create_dir_all(&migrations).expect("our own folder");
        std::fs::write(folder.join("lockkeeper.toml"), "dialect = \"postgres\"\n").expect("our own folder");
        for number in 0..count {
            std::fs::write(migrations.join(format!("{number:06}_a.sql")), "SELECT 1;\n")
                .expect("our own folder");
        }
        let project = discover::open(&folder).expect("a project");
        let paths: Vec<String> = (0..count).map(|number| format!("migrations/{number:06}_a.sql")).collect();
        best(|| {
            for path in &paths {
                let Place::Migration(folder, ..) = project.classify_file(Path::new(path)) else {
                    panic!("{path} is no migration")
                };
                assert!(folder.before(path).len() < count);
            }
        })
    };
    grows_in_a_line(time(1_000), time(4_000));
}

#[test]
fn columns_of_one_table() {
    check_grows_in_a_line(3_000, |count| {
        let columns: Vec<String> = (0..count).map(|number| format!("a_longer_name_{number} text")).collect();
        format!("CREATE TABLE wide ({});", columns.join(", "))
    });
}

#[test]
fn statements_that_are_allowed() {
    check_grows_in_a_line(250, |count| {
        let mut sql = String::new();
        for number in 0..count {
            let allow = "-- lockkeeper: allow blocking-index-build because it is small";
            writeln!(sql, "{allow}\nCREATE INDEX i{number} ON orders (day);").expect("a string takes all");
        }
        sql
    });
}

#[test]
fn bodies_and_quotes() {
    check_grows_in_a_line(500, |count| {
        let mut sql = String::new();
        for number in 0..count {
            let text = "E'it\\'s; done' -- it's\r, $a$ ; $b$ ' $a$ /* ; /* ' */ */";
            writeln!(sql, "INSERT INTO orders VALUES ({number}, {text});").expect("a string takes all");
        }
        sql
    });
}
