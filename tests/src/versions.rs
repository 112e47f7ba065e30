//! What not every version has, run on this server: forms of statements that an older one cannot read, and what only a newer one can do.

use std::fmt::Write;
use std::sync::mpsc;
use std::time::Duration;

use expect_test::expect_file;
use lockkeeper_core::dialect::Dialect;
use lockkeeper_core::engine::versions::FORMS;
use lockkeeper_core::engine::{self, Capability, Fact};
use lockkeeper_core::statement::Script;

use crate::binaries::root;
use crate::cluster::cluster;
use crate::database;

const SCHEMA: &str = "
    CREATE TABLE t (id int PRIMARY KEY, a int, note text);
    CREATE INDEX t_a ON t (a);
    CREATE VIEW v AS SELECT * FROM t;
    CREATE TABLE k (id int PRIMARY KEY);
    CREATE STATISTICS s ON id, a FROM t;";

/// A syntax error, an option or a function that the server does not know, or what it says it does not support.
const UNREAD: [&str; 4] = ["42601", "22023", "42883", "0A000"];

#[test]
fn forms_are_known_from_their_version_on() {
    let version = cluster().version();
    let mut wrong = Vec::new();
    for form in FORMS {
        let database = cluster().database_from("versions", |it| it.run(SCHEMA));
        let refused = database::run(&mut database.connect(), form.example).err();
        let refused = refused.filter(|it| UNREAD.contains(&it.sqlstate.as_str()));
        if (u32::from(form.since) > version) != refused.is_some() {
            let said = refused.map_or_else(|| "it is read".to_owned(), |it| it.to_string());
            wrong.push(format!("{} of {}: {said}: {}", form.name, form.since, form.example));
        }
    }
    assert!(wrong.is_empty(), "on {version}:\n{}", wrong.join("\n"));
}

/// What the first statement that fails says.
fn refused(fact: &Fact) -> Option<database::Failure> {
    let database = cluster().database();
    let mut client = database.connect();
    let script = Script::read(fact.shows, Dialect::Postgres);
    script.statements.iter().find_map(|it| database::run(&mut client, it.span.of(fact.shows)).err())
}

/// What an UPDATE says whose sub-query locks the row that it reads, while another session changes both rows.
fn of_a_row_changed_meanwhile() -> Option<database::Failure> {
    let database = cluster().database();
    database.run(
        "CREATE TABLE s (id int PRIMARY KEY, a int); CREATE TABLE t (id int PRIMARY KEY, a int);
         INSERT INTO s VALUES (1, 1); INSERT INTO t VALUES (1, 0);",
    );
    let mut first = database.connect();
    database::run(&mut first, "BEGIN").expect("it begins");
    database::run(&mut first, "UPDATE s SET a = 2; UPDATE t SET a = 2").expect("nobody holds it");
    let mut second = database.connect();
    let (done, said) = mpsc::channel();
    std::thread::spawn(move || {
        let update = "UPDATE t SET a = (SELECT s.a FROM s WHERE s.id = t.id FOR SHARE)";
        done.send(database::run(&mut second, update).err())
    });
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while database.value(waiting) == "0" {
        if let Ok(ended) = said.recv_timeout(Duration::from_millis(10)) {
            panic!("it did not wait: {ended:?}");
        }
    }
    database::run(&mut first, "COMMIT").expect("it commits");
    said.recv().expect("the statement ends")
}

#[test]
fn capabilities_are_there_from_their_version_on() {
    let version = cluster().version();
    let mut wrong = Vec::new();
    for fact in engine::of(Dialect::Postgres).capabilities() {
        let refused = match fact.capability {
            Capability::UpdateFromLockedRows => of_a_row_changed_meanwhile(),
            _ => refused(fact),
        };
        if (u32::from(fact.since.major) > version) != refused.is_some() {
            let said = refused.map_or_else(|| "it can".to_owned(), |it| it.to_string());
            wrong.push(format!("{:?}, {}: {said}", fact.capability, fact.since));
        }
    }
    assert!(wrong.is_empty(), "on {version}:\n{}", wrong.join("\n"));
}

#[test]
fn the_page_of_versions_is_fresh() {
    let mut page = String::from(
        "# What depends on the version\n\nGenerated from the facts that recipes ask, by `cargo xtask docs`; each is tried on a server of every version. \
         Statements that an older version cannot read at all are a finding of their own, `failing-statement`.\n\n\
         | PostgreSQL | can | before | source |\n| --- | --- | --- | --- |\n",
    );
    let mut facts: Vec<&Fact> = engine::of(Dialect::Postgres).capabilities().iter().collect();
    facts.sort_by_key(|it| it.since);
    for Fact { since, name, before, source, .. } in facts {
        writeln!(page, "| {since} | {name} | {before} | {source} |").expect("a string");
    }
    expect_file![root().join("docs/versions.md")].assert_eq(&page);
}
