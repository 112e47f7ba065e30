//! Plans that are proved, and plans that are not.

mod filling;
mod mutants;
mod review;

use std::collections::BTreeSet;

use super::{Change, Traffic, verify};
use crate::catalog::Catalog;
use crate::check::{Part, replay};
use crate::dialect::{Dialect, Target, Version};
use crate::framework::Transaction;
use crate::plan::{Phase, PhaseKind, ReleaseStep, SqlStep, Step, Written};
use crate::text::Span;

fn target() -> Target {
    Target::postgres(Version::major(15))
}

fn part(text: &str) -> Part<'_> {
    Part { text, span: Span::new(0, text.len()), transaction: Transaction::Autocommit }
}

fn schema(sql: &str) -> Catalog {
    let mut catalog = Catalog::empty(Dialect::Postgres);
    replay(part(sql), &target(), &mut catalog);
    catalog
}

/// A migration of a plan: what goes up and what goes back.
fn sql(up: &str, down: &str) -> Step {
    let timeout = "SET LOCAL lock_timeout = '2s';\n";
    let transactional = !up.contains("CONCURRENTLY");
    let guarded = |text: &str| {
        let text = if transactional { format!("{timeout}{text}") } else { text.to_owned() };
        Written::read(text, Dialect::Postgres).into()
    };
    Step::Sql(SqlStep {
        name: "step".to_owned(),
        title: String::new(),
        up: vec![guarded(up)],
        down: Some(vec![guarded(down)]),
        transactional,
        dialect: Dialect::Postgres,
    })
}

fn release(must: &str) -> Step {
    Step::Release(ReleaseStep { must: vec![must.to_owned()] })
}

fn objections(before: &Catalog, change: &str, phases: &[Phase]) -> Vec<String> {
    let mut after = before.clone();
    replay(part(change), &target(), &mut after);
    let broken: BTreeSet<&'static str> =
        crate::check::check(part(change), &target(), before).hazards.iter().map(|it| it.rule).collect();
    let target = target();
    let change =
        Change { before, after: &after, broken: &broken, target: &target, traffic: Traffic::Releases };
    verify(&change, phases).iter().map(ToString::to_string).collect()
}

#[track_caller]
fn check(before: &str, change: &str, steps: Vec<Step>, expected: &[&str]) {
    let found = objections(&schema(before), change, &[Phase::new(PhaseKind::Expand, "", steps)]);
    let each = found.iter().zip(expected).all(|(found, expected)| found.contains(expected));
    assert!(each && found.len() == expected.len(), "{found:#?}\nexpected\n{expected:#?}");
}

const PROJECTS: &str = "CREATE TABLE org_memberships (project_id int, organization_id int);
    CREATE TABLE projects (id int PRIMARY KEY, name text);";
const ORGANIZATION: &str = "ALTER TABLE projects ADD COLUMN organization_id int;
    UPDATE projects SET organization_id = m.organization_id FROM org_memberships m WHERE m.project_id = projects.id;
    ALTER TABLE projects ALTER COLUMN organization_id SET NOT NULL;";

fn add() -> Step {
    sql(
        "ALTER TABLE projects ADD COLUMN organization_id int;",
        "ALTER TABLE projects DROP COLUMN organization_id;",
    )
}

fn fill() -> Step {
    let update = "-- lockkeeper: allow unbounded-data-change because this is a test\n\
        UPDATE projects SET organization_id = m.organization_id FROM org_memberships m WHERE m.project_id = projects.id;";
    sql(update, "")
}

fn prove() -> Vec<Step> {
    let add = "ALTER TABLE projects ADD CONSTRAINT c CHECK (organization_id IS NOT NULL) NOT VALID;";
    let drop = "ALTER TABLE projects DROP CONSTRAINT c;";
    let validate = "ALTER TABLE projects VALIDATE CONSTRAINT c;";
    let set = "ALTER TABLE projects ALTER COLUMN organization_id SET NOT NULL;\nALTER TABLE projects DROP CONSTRAINT c;";
    let unset =
        format!("ALTER TABLE projects ALTER COLUMN organization_id DROP NOT NULL;\n{add}\n{validate}");
    vec![sql(add, drop), sql(validate, &format!("{drop}\n{add}")), sql(set, &unset)]
}

fn writes() -> Step {
    release("write a value into projects.organization_id in every insert")
}

#[test]
fn rows_of_the_old_release_are_not_left_without_a_value() {
    let steps = [vec![add(), fill(), writes()], prove()].concat();
    check(PROJECTS, ORGANIZATION, steps, &["stay without column projects.organization_id"]);
    let steps = [vec![add(), writes(), fill()], prove()].concat();
    check(PROJECTS, ORGANIZATION, steps, &[]);
}

#[test]
fn a_required_column_waits_for_who_fills_it() {
    let steps = [vec![add(), fill()], prove()].concat();
    let refused = "column projects.organization_id refuses rows without a value";
    check(PROJECTS, ORGANIZATION, steps, &["stay without column projects.organization_id", refused]);
}

/// A trigger of the migration's own that comes steps after the check that refuses.
#[test]
fn a_trigger_that_fills_comes_before_the_check() {
    let made = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.organization_id := 1; RETURN NEW; END $$;
        CREATE TRIGGER fills BEFORE INSERT ON projects FOR EACH ROW EXECUTE FUNCTION f();";
    let gone = "DROP TRIGGER fills ON projects; DROP FUNCTION f();";
    let change = format!("{ORGANIZATION}{made}");
    let steps = [vec![add(), sql(made, gone), fill()], prove()].concat();
    check(PROJECTS, &change, steps, &[]);
    let steps = [vec![add(), fill()], prove(), vec![sql(made, gone)]].concat();
    let refused = "column projects.organization_id refuses rows without a value";
    check(PROJECTS, &change, steps, &["stay without column projects.organization_id", refused]);
}

#[test]
fn a_view_is_there_all_the_time() {
    let before = "CREATE TABLE t (id int PRIMARY KEY, c varchar(5)); CREATE VIEW v AS SELECT id, c FROM t;";
    let make = "CREATE VIEW v AS SELECT id, c FROM t;";
    let gone = "-- lockkeeper: allow dropped-view because it comes back\nDROP VIEW v;";
    let (widen, narrow) =
        ("ALTER TABLE t ALTER COLUMN c TYPE varchar(9);", "ALTER TABLE t ALTER COLUMN c TYPE varchar(5);");
    let change = format!("{gone}\n{widen}\n{make}");
    let steps = vec![sql(gone, make), sql(widen, narrow), sql(make, "DROP VIEW v;")];
    check(
        before,
        &change,
        steps,
        &["relation v is gone while the running release", "view v is not there for a while"],
    );
    let steps = vec![sql(&change, &format!("DROP VIEW v;\n{narrow}\n{make}"))];
    check(before, &change, steps, &[]);
}

#[test]
fn who_could_use_a_table_can_use_the_view_under_its_name() {
    let before =
        "CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL); GRANT SELECT, INSERT ON users TO app;";
    let steps = |grant: &str| {
        let made = format!(
            "ALTER TABLE users RENAME TO people;\nCREATE VIEW users AS SELECT * FROM people;\n{grant}"
        );
        let back = "DROP VIEW users;\nALTER TABLE people RENAME TO users;";
        let gone = "-- lockkeeper: allow dropped-view because the release is out\nDROP VIEW users;";
        let again = format!("CREATE VIEW users AS SELECT * FROM people;\n{grant}");
        vec![sql(&made, back), release("say people wherever it says users"), sql(gone, &again)]
    };
    let change = "ALTER TABLE users RENAME TO people;";
    check(before, change, steps(""), &["app may INSERT, SELECT on relation users no more"]);
    check(before, change, steps("GRANT SELECT, INSERT ON users TO app;"), &[]);
}

#[test]
fn what_a_release_uses_stays_until_it_is_told() {
    let before = "CREATE TABLE t (id int PRIMARY KEY, a text);";
    let drop = "-- lockkeeper: allow dropped-column because the release is out\nALTER TABLE t DROP COLUMN a;";
    let back = "ALTER TABLE t ADD COLUMN a text;";
    let change = "ALTER TABLE t DROP COLUMN a;";
    check(
        before,
        change,
        vec![sql(drop, back)],
        &["column t.a is gone while the running release may name it"],
    );
    let told = release("stop using t.a");
    check(before, change, vec![told.clone(), sql(drop, back)], &[]);
    check(before, change, vec![sql(drop, back), told], &["column t.a is gone"]);
}

#[test]
fn both_ends_are_those_of_the_change() {
    let before = "CREATE TABLE t (id int PRIMARY KEY, a int);";
    let up = "CREATE INDEX CONCURRENTLY i ON t (a) WHERE a > 0;";
    let down = "DROP INDEX CONCURRENTLY i;";
    let change = "CREATE INDEX i ON t (a) WHERE a > 0;";
    check(before, change, vec![sql(up, down)], &[]);
    let other = up.replace("> 0", "> 1");
    check(before, change, vec![sql(&other, down)], &["index i: its condition is a > 1, and should be a > 0"]);
    let back = "the way back does not end where it began: index i is there";
    check(before, change, vec![sql(up, "SELECT 1;")], &[back]);
    check(before, change, Vec::new(), &["index i is missing"]);
}

#[test]
fn a_step_that_fails_is_said_to_fail() {
    let before = "CREATE TABLE t (id int PRIMARY KEY, a int);";
    let change = "ALTER TABLE t ADD COLUMN b int;";
    let up = "ALTER TABLE t ADD COLUMN b int; ALTER TABLE t DROP COLUMN c;";
    check(
        before,
        change,
        vec![sql(up, "ALTER TABLE t DROP COLUMN b;")],
        &["it fails: column c of t does not exist"],
    );
}

#[test]
fn values_are_kept_distinct_all_the_time() {
    let before = "CREATE TABLE t (id int PRIMARY KEY, a int, b int); CREATE UNIQUE INDEX u ON t (a);";
    let change = "DROP INDEX u; CREATE UNIQUE INDEX u ON t (a) WHERE b > 0;";
    let (gone, made) =
        ("DROP INDEX CONCURRENTLY u;", "CREATE UNIQUE INDEX CONCURRENTLY u ON t (a) WHERE b > 0;");
    let before_it = "CREATE UNIQUE INDEX CONCURRENTLY u ON t (a);";
    let steps = vec![sql(gone, before_it), sql(made, gone)];
    let found = objections(&schema(before), change, &[Phase::new(PhaseKind::Expand, "", steps)]);
    assert!(found.iter().any(|it| it.contains("unique index u is not there for a while")), "{found:#?}");
    let other = made.replace(" u ", " u_new ");
    let swap = "ALTER INDEX u_new RENAME TO u;";
    let steps = vec![
        sql(&other, "DROP INDEX CONCURRENTLY u_new;"),
        sql(gone, before_it),
        sql(swap, "ALTER INDEX u RENAME TO u_new;"),
    ];
    let found = objections(&schema(before), change, &[Phase::new(PhaseKind::Expand, "", steps)]);
    assert!(!found.iter().any(|it| it.contains("for a while")), "{found:#?}");
}

/// On the way back a step meets what the steps behind it have left: here no table yet.
#[test]
fn a_way_back_that_fails_is_objected_to() {
    let before = "CREATE TABLE t (a int); CREATE INDEX t_a ON t (a); CREATE TABLE other (id int);";
    let table = sql("DROP TABLE t;", "CREATE TABLE t (a int); CREATE INDEX t_a ON t (a);");
    let index = sql("DROP INDEX IF EXISTS t_a;", "CREATE INDEX t_a ON t (a);");
    let told = |steps: Vec<Step>| {
        objections(&schema(before), "DROP TABLE t;", &[Phase::new(PhaseKind::Contract, "", steps)])
    };
    let fails = |it: &String| it.contains("its way back fails");
    assert!(told(vec![table, index.clone()]).iter().any(fails));
    let alone = sql("DROP TABLE t;", "CREATE TABLE t (a int);");
    assert!(!told(vec![index, alone]).iter().any(fails));
}
