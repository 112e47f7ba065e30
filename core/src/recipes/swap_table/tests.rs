//! What the swap of a table writes is clean and ends in the schema of the change; what it cannot carry over is refused.

use crate::catalog::{Catalog, Demand, RelationKind};
use crate::check::replay;
use crate::dialect::{Dialect, Name, Target, Version};
use crate::plan::{Phase, PhaseKind, Way, Work};
use crate::recipes::tests::{part, prove, replay_steps, written};

const SCHEMA: &str = "CREATE TABLE rooms (id int PRIMARY KEY);
    CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int NOT NULL, b int4range, up int CONSTRAINT up REFERENCES t,
        room int REFERENCES rooms ON DELETE CASCADE, CHECK (a > 0), UNIQUE (a, id));
    CREATE INDEX t_lower ON t (lower(b), (a + 1)) INCLUDE (room) WHERE a > 1;
    CREATE FUNCTION seen() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER seen BEFORE UPDATE OF a ON t FOR EACH ROW WHEN (NEW.a > 5) EXECUTE FUNCTION seen();
    CREATE TABLE guests (t_id int NOT NULL REFERENCES t ON DELETE CASCADE); CREATE INDEX ON guests (t_id); CREATE INDEX ON t (up); CREATE INDEX ON t (room);
    CREATE TABLE s (id serial PRIMARY KEY, a int, c int GENERATED ALWAYS AS (a * 2) STORED);
    CREATE UNLOGGED TABLE loose (a text, b int, PRIMARY KEY (a, b));";

fn before(more: &str, target: &Target) -> Catalog {
    let mut before = Catalog::empty(Dialect::Postgres);
    replay(part(&format!("{SCHEMA} {more}")), target, &mut before);
    before
}

#[test]
fn a_swapped_table_has_the_schema_of_the_change() {
    for major in [12, 15, 18] {
        let target = Target::postgres(Version::major(major));
        let before = before("", &target);
        for (change, since) in [
            ("ALTER TABLE t ADD CONSTRAINT apart EXCLUDE USING gist (b WITH &&)", 11),
            ("ALTER TABLE t ADD EXCLUDE USING gist (b WITH &&)", 11),
            (
                "ALTER TABLE t ADD COLUMN twice int GENERATED ALWAYS AS (a * 2) STORED NOT NULL CHECK (twice > 0) UNIQUE",
                12,
            ),
            ("ALTER TABLE s ALTER COLUMN c SET EXPRESSION AS (a * 3)", 17),
            ("ALTER TABLE s SET UNLOGGED", 11),
            ("ALTER TABLE loose SET LOGGED", 11),
            ("ALTER TABLE t SET TABLESPACE fast", 11),
            ("ALTER TABLE s SET ACCESS METHOD columnar", 15),
            ("VACUUM (FULL) s", 11),
            ("CLUSTER t USING t_a_id_key", 11),
        ] {
            if major >= since {
                prove(change, &target, &before, Way::Triggers);
            }
        }
    }
}

/// Names, sequences and foreign keys are where they were.
#[test]
fn what_hangs_on_a_table_hangs_on_the_one_that_has_its_name() {
    let target = Target::postgres(Version::major(15));
    let before = before("", &target);
    let change = "ALTER TABLE t ADD CONSTRAINT apart EXCLUDE USING gist (b WITH &&)";
    let phases = written(change, &target, &before, Way::Triggers).expect("is possible");
    let mut after = before.clone();
    replay_steps(&phases, &target, &mut after);
    let (was, is) = [&before, &after].map(|it| it.table_named(&Name::new("t")).expect("is there")).into();
    for constraint in &was.constraints {
        let other = is.constraint(&constraint.name).expect("keeps its name");
        let timing = |it: &crate::catalog::ConstraintState| (it.valid, it.deferrable, it.initially_deferred);
        assert_eq!(timing(other), timing(constraint), "{}", constraint.name);
    }
    assert_eq!(is.triggers, was.triggers);
    assert_eq!(is.columns, was.columns);
    let sequence = is.column("id").and_then(|it| it.sequence.clone()).expect("has one");
    let Some(RelationKind::Sequence(state)) = after.relation(&sequence).map(|it| &it.kind) else {
        panic!("{sequence:?} is gone")
    };
    assert_eq!(state.ty.to_string(), "integer");
    for (table, name) in [("t", "up"), ("guests", "guests_t_id_fkey")] {
        let key = after.table_named(&Name::new(table)).and_then(|it| it.constraint(name)).expect("is there");
        let Demand::ForeignKey { references, .. } = &key.demand else { panic!("{key:?}") };
        assert_eq!(&*references.name, "t", "{name}");
    }
    assert!(after.tables().all(|(name, _)| !name.name.contains("twin")));
}

#[test]
fn the_copy_is_a_job() {
    let target = Target::postgres(Version::major(15));
    let before = before("", &target);
    let phases = written("ALTER TABLE s SET UNLOGGED", &target, &before, Way::Triggers).expect("is possible");
    let kinds: Vec<PhaseKind> = phases.iter().map(|it| it.kind).collect();
    use PhaseKind::{Backfill, Contract, Cutover, Expand};
    assert_eq!(kinds, [Expand, Backfill, Cutover, Contract]);
    let job = phases.iter().flat_map(Phase::migrations).find_map(|it| it.job()).expect("is a job");
    let Work::Copy { into, columns, key } = &job.work else { panic!("{job:?}") };
    assert_eq!((&*into.name, key.as_slice()), ("s_twin", ["id".to_owned()].as_slice()));
    let columns: Vec<&str> = columns.iter().map(|(column, _)| column.as_str()).collect();
    assert_eq!(columns, ["id", "a"], "what is generated is not copied");
}

#[test]
fn tables_that_cannot_be_swapped_are_refused_in_words() {
    let target = Target::postgres(Version::major(15));
    let before = before(
        "CREATE TABLE bare (a int); CREATE VIEW v AS SELECT a FROM viewed; CREATE TABLE viewed (id int PRIMARY KEY, a int);
         CREATE VIEW w AS SELECT a FROM viewed;
         CREATE TABLE late (id int PRIMARY KEY DEFERRABLE); CREATE TABLE ended (id int PRIMARY KEY, n int UNIQUE DEFERRABLE);
         CREATE TABLE strict (id int PRIMARY KEY, up int REFERENCES strict ON DELETE RESTRICT);
         CREATE TABLE told (id int PRIMARY KEY); CREATE PUBLICATION p FOR TABLE told;
         CREATE TABLE ruled (id int PRIMARY KEY); CREATE RULE r AS ON DELETE TO ruled DO INSTEAD NOTHING;
         CREATE TABLE guarded (id int PRIMARY KEY); CREATE POLICY own ON guarded USING (true);
         CREATE TABLE counted (id int PRIMARY KEY, a int, b int); CREATE STATISTICS st ON a, b FROM counted;
         CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY RANGE (id);
         CREATE TABLE pair (id int PRIMARY KEY); CREATE TABLE pair_twin (id int);",
        &target,
    );
    for (table, reason) in [
        ("bare", "has no primary key"),
        ("viewed", "is read by the view"),
        ("late", "that is deferrable"),
        ("ended", "looked at when a statement ends"),
        ("strict", "to itself with RESTRICT"),
        ("told", "is published"),
        ("ruled", "has rules"),
        ("guarded", "has row security policies"),
        ("counted", "has extended statistics"),
        ("parts", "part of a partitioned or inherited table"),
        ("pair", "has a neighbour named pair_twin already"),
        ("t", "no logged table may point at an unlogged one"),
        ("nowhere", "nothing is known of the table"),
    ] {
        let change = format!("ALTER TABLE {table} SET UNLOGGED");
        let refusal = written(&change, &target, &before, Way::Triggers).expect_err(table);
        assert!(refusal.reason.contains(reason), "{table}: {}", refusal.reason);
    }
    for (change, reason) in [
        (
            "ALTER TABLE t ADD COLUMN x int GENERATED ALWAYS AS (a) STORED REFERENCES rooms",
            "brings a foreign key",
        ),
        ("ALTER TABLE t ALTER COLUMN a SET EXPRESSION AS (1)", "is not a stored column"),
    ] {
        let refusal = written(change, &target, &before, Way::Triggers).expect_err(change);
        assert!(refusal.reason.contains(reason), "{change}: {}", refusal.reason);
    }
}
