//! A table that follows another, by itself: writes of every kind, writers with few rights, and what the plan asks the server for.

use lockkeeper_core::plan::{Criterion, Phase, PhaseKind, SqlStep};

use super::{Fixture, files};
use crate::cluster::cluster;
use crate::database::{Database, run};

const NOTES: &str = "
CREATE TABLE notes (id int PRIMARY KEY, name text, n int UNIQUE DEFERRABLE INITIALLY DEFERRED, up int REFERENCES notes ON DELETE CASCADE);
INSERT INTO notes SELECT g, 'n' || g, g, nullif(g / 2, 0) FROM generate_series(1, 300) g;
CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF pg_trigger_depth() = 1 THEN
    UPDATE notes SET name = name || '!' WHERE id BETWEEN NEW.id - 1 AND NEW.id + 1;
    DELETE FROM notes WHERE name LIKE 'gone%';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER a AFTER UPDATE OF name ON notes FOR EACH ROW EXECUTE PROCEDURE again();
CREATE TRIGGER zzzz AFTER UPDATE OF name ON notes FOR EACH ROW EXECUTE PROCEDURE again();
";

/// The table with its twin, which is still empty, and the phases.
fn expanded() -> (Database, Vec<Phase>) {
    let migration = "ALTER TABLE notes SET UNLOGGED;";
    let fixture = Fixture { name: "notes", schema: NOTES, migration, ..Fixture::PLAIN };
    let phases = files::phases(&fixture).expect("is possible");
    let database = cluster().database();
    database.run(NOTES);
    files::up(&database, migrations(&phases[0])[0]).expect("expands");
    (database, phases)
}

fn migrations(phase: &Phase) -> Vec<&SqlStep> {
    phase.migrations().collect()
}

fn count(database: &Database, criterion: &Criterion) -> u64 {
    database.value(criterion.query.as_ref().expect("a query tells")).parse().expect("a count")
}

fn agrees(phases: &[Phase]) -> &Criterion {
    phases[1].exit.last().expect("the backfill ends when both agree")
}

/// Triggers that write the same row once more, before and after ours; keys that change; rows that are not copied yet and rows that are.
#[test]
fn writes_of_every_kind_come_over() {
    for before in [true, false] {
        let (database, phases) = expanded();
        let backfill = migrations(&phases[1])[0];
        if before {
            files::up(&database, backfill).expect("copies");
        }
        for write in [
            "UPDATE notes SET name = 'x' || id WHERE id IN (5, 6, 7, 100)",
            "UPDATE notes SET name = 'gone' WHERE id IN (20, 21)",
            "UPDATE notes SET id = -id, n = NULL WHERE id > 290",
            "UPDATE notes SET n = 301 - n",
            "INSERT INTO notes VALUES (301, 'a', NULL, 302), (302, 'b', NULL, 301)",
            "UPDATE notes SET up = NULL WHERE id = 301",
            "INSERT INTO notes VALUES (302, 'c') ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, id = 303",
            "DELETE FROM notes WHERE id IN (40, 160, 301, 303)",
            "BEGIN; DELETE FROM notes WHERE id = 150; INSERT INTO notes VALUES (150, 'back'); UPDATE notes SET name = 'gone' WHERE id = 150; COMMIT",
            "BEGIN; INSERT INTO notes VALUES (500, 'never'); ROLLBACK",
        ] {
            database.run(write);
        }
        files::up(&database, backfill).expect("copies");
        assert_eq!(count(&database, agrees(&phases)), 0, "copied before: {before}");
        database.run("TRUNCATE notes; INSERT INTO notes VALUES (1, 'new')");
        assert_eq!(count(&database, agrees(&phases)), 0);
        assert_eq!(database.value("SELECT count(*) FROM notes_twin"), "1");
    }
}

/// It cannot delete what it does not see, and must not leave it.
#[test]
fn a_delete_that_does_not_see_the_copy_fails_and_succeeds_when_it_is_tried_again() {
    let (database, phases) = expanded();
    let mut client = database.connect();
    run(&mut client, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM notes").expect("begins");
    files::up(&database, migrations(&phases[1])[0]).expect("copies");
    let failure = run(&mut client, "DELETE FROM notes WHERE id = 300").expect_err("the copy is newer");
    assert_eq!(failure.sqlstate, "40001");
    run(
        &mut client,
        "ROLLBACK; BEGIN ISOLATION LEVEL REPEATABLE READ; DELETE FROM notes WHERE id = 300; COMMIT",
    )
    .expect("sees it now");
    assert_eq!(count(&database, agrees(&phases)), 0);
    // And a row that was never copied goes without one.
    let (database, phases) = expanded();
    database.run("BEGIN ISOLATION LEVEL SERIALIZABLE; DELETE FROM notes WHERE id = 299; UPDATE notes SET n = -n WHERE id = 298; COMMIT");
    files::up(&database, migrations(&phases[1])[0]).expect("copies");
    assert_eq!(count(&database, agrees(&phases)), 0);
}

/// Who may write a part of the table writes as before; the plan stops until the twin has the same rights.
#[test]
fn a_writer_with_few_rights_knows_nothing_of_the_twin() {
    let (database, phases) = expanded();
    let missing = &phases[0].exit[0];
    assert_eq!(count(&database, missing), 0);
    let role =
        format!("clerk_{}", database.value("SELECT oid FROM pg_database WHERE datname = current_database()"));
    let grant = |table: &str| format!("GRANT SELECT, INSERT, DELETE, UPDATE (name) ON {table} TO {role};");
    database.run(&format!("CREATE ROLE {role}; {}", grant("notes")));
    assert!(count(&database, missing) > 0);
    database.run(&format!(
        "SET ROLE {role}; INSERT INTO notes (id, name) VALUES (400, 'mine'); UPDATE notes SET name = 'ours' WHERE id = 400;
         DELETE FROM notes WHERE id = 3"
    ));
    database.run(&grant("notes_twin"));
    assert_eq!(count(&database, missing), 0);
    files::up(&database, migrations(&phases[1])[0]).expect("copies");
    assert_eq!(count(&database, agrees(&phases)), 0);
    database.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[test]
fn what_the_migrations_do_not_show_stops_the_plan() {
    let (_, phases) = expanded();
    let database = cluster().database();
    let unknown = &phases[0].entry[0];
    for by_hand in [
        "CREATE VIEW v AS SELECT id FROM notes",
        "CREATE FUNCTION f(notes) RETURNS int LANGUAGE sql AS 'SELECT $1.id'",
        "CREATE TABLE log (was notes)",
        "ALTER TABLE notes ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE notes DISABLE TRIGGER a",
        "CREATE TRIGGER b AFTER DELETE ON notes FOR EACH ROW EXECUTE PROCEDURE again()",
        "CREATE TABLE child (notes_id int REFERENCES notes)",
        "CREATE TABLE heir () INHERITS (notes)",
        "CREATE STATISTICS st ON name, n FROM notes",
        "CREATE RULE r AS ON DELETE TO notes DO INSTEAD NOTHING",
    ] {
        database.run(&format!("DROP SCHEMA public CASCADE; CREATE SCHEMA public; {NOTES}"));
        assert_eq!(count(&database, unknown), 0);
        database.run(by_hand);
        assert!(count(&database, unknown) > 0, "{by_hand}");
    }
    let (database, phases) = expanded();
    let cutover = phases.iter().find(|it| it.kind == PhaseKind::Cutover).expect("there is a swap");
    let missing = &cutover.entry[1];
    for by_hand in [
        "ALTER TABLE notes SET (fillfactor = 70)",
        "COMMENT ON TABLE notes IS 'kept'",
        "ALTER TABLE notes REPLICA IDENTITY FULL",
        "ALTER TABLE notes ALTER name SET STATISTICS 500",
        "GRANT SELECT (name) ON notes TO PUBLIC",
    ] {
        assert_eq!(count(&database, missing), 0, "{by_hand}");
        database.run(by_hand);
        assert!(count(&database, missing) > 0, "{by_hand}");
        database.run(&by_hand.replace("notes", "notes_twin"));
    }
    let alike = &phases[0].exit[1];
    assert_eq!(count(&database, alike), 0);
    database.run("ALTER INDEX notes_twin_pkey RENAME TO other");
    assert_eq!(count(&database, alike), 1);
}

const GOODS: &str = "
CREATE TABLE goods (id int PRIMARY KEY, name text, more json, n int UNIQUE DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE sold (good int REFERENCES goods ON DELETE CASCADE);
CREATE INDEX ON sold (good);
INSERT INTO goods SELECT g, 'n' || g, '{}', g FROM generate_series(1, 300) g;
INSERT INTO sold SELECT g FROM generate_series(1, 300) g;
";

/// A table and its second, each with a release of its own, as far as to the phase before `until`.
fn second(until: PhaseKind) -> (Database, Criterion) {
    let migration = "ALTER TABLE goods RENAME TO wares;";
    let fixture = Fixture { name: "goods", schema: GOODS, migration, ..Fixture::PLAIN };
    let phases = files::phases(&fixture).expect("is possible");
    let database = cluster().database();
    database.run(GOODS);
    for step in phases.iter().take_while(|it| it.kind != until).flat_map(Phase::migrations) {
        files::up(&database, step).expect("goes up");
    }
    (database, agrees(&phases).clone())
}

/// What is written to one of two tables that follow each other comes over once, at each level of isolation, and is not written back.
#[test]
fn two_tables_follow_each_other() {
    for level in ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"] {
        for table in ["goods", "wares"] {
            let (database, agree) = second(PhaseKind::Cutover);
            for write in [
                "UPDATE t SET name = 'x' || id, more = '[1]' WHERE id IN (5, 6, 7, 100)",
                "UPDATE t SET id = -id, n = NULL WHERE id IN (SELECT id FROM t EXCEPT SELECT good FROM sold)",
                "UPDATE t SET n = 301 - n",
                "INSERT INTO t VALUES (302, 'c') ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, id = 303",
                "INSERT INTO t VALUES (302, 'c') ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, id = 303",
                "DELETE FROM t WHERE id IN (40, 160, 303)",
                "DELETE FROM t WHERE id = 150; INSERT INTO t VALUES (150, 'back'); UPDATE t SET name = 'on' WHERE id = 150",
                "UPDATE t SET name = NULL WHERE id = 200; DELETE FROM t WHERE id = 200",
            ] {
                let write = write.replace(" t ", &format!(" {table} "));
                database.run(&format!("BEGIN ISOLATION LEVEL {level}; {write}; COMMIT"));
                assert_eq!(count(&database, &agree), 0, "{level}: {write}");
            }
            let left = database.value("SELECT count(*) FROM sold WHERE good IN (40, 160, 150, 200)");
            assert_eq!(left, "0", "cascades");
        }
    }
    // Before the keys of others point at the second one, as the page says.
    for table in ["goods", "wares"] {
        let (database, agree) = second(PhaseKind::Verification);
        database.run(&format!("TRUNCATE goods, sold; INSERT INTO {table} VALUES (1, 'new')"));
        assert_eq!(count(&database, &agree), 0);
        assert_eq!(database.value("SELECT count(*) FROM goods"), "1");
    }
}

/// What was never copied goes without a copy, and does not come back by the look for one.
#[test]
fn a_row_without_a_second_one_goes() {
    for level in ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"] {
        let (database, _) = second(PhaseKind::Backfill);
        database.run(&format!(
            "BEGIN ISOLATION LEVEL {level}; DELETE FROM goods WHERE id > 290; DELETE FROM sold WHERE good = 5; UPDATE goods SET id = -id WHERE id = 5; COMMIT"
        ));
        assert_eq!(database.value("SELECT count(*) FROM goods WHERE id > 290 OR id = 5"), "0", "{level}");
        assert_eq!(database.value("SELECT string_agg(id::text, ' ') FROM wares"), "-5", "{level}");
    }
}

/// It cannot delete what it does not see, and must not leave it; nor may what it deletes come back.
#[test]
fn a_release_that_does_not_see_the_second_row_fails() {
    let (database, agree) = second(PhaseKind::Backfill);
    let mut client = database.connect();
    run(&mut client, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM goods").expect("begins");
    database.run("INSERT INTO wares SELECT * FROM goods ON CONFLICT (id) DO NOTHING");
    let failure = run(&mut client, "DELETE FROM goods WHERE id = 300").expect_err("the copy is newer");
    assert_eq!(failure.sqlstate, "40001");
    run(
        &mut client,
        "ROLLBACK; BEGIN ISOLATION LEVEL REPEATABLE READ; DELETE FROM wares WHERE id = 300; COMMIT",
    )
    .expect("sees it now");
    assert_eq!(count(&database, &agree), 0);
    assert_eq!(database.value("SELECT count(*) FROM goods WHERE id = 300"), "0");
}

const KINDS: &str = "
CREATE TABLE clients (id int PRIMARY KEY, name text, more json);
CREATE TABLE parties (kind text, id int, name text, more json, PRIMARY KEY (kind, id));
INSERT INTO clients SELECT g, 'n' || g, '{}' FROM generate_series(1, 100) g;
INSERT INTO parties SELECT 'other', g, 'o' || g FROM generate_series(1, 200) g;
";

/// Rows of another kind, with the same numbers, are nobody's; one that becomes of the kind comes, and one that is no longer of it goes.
#[test]
fn only_rows_of_the_kind_follow() {
    let migration = "INSERT INTO parties SELECT 'client', id, name, more FROM clients; DROP TABLE clients;";
    let recipe = Some("merge-rows");
    let fixture = Fixture { name: "kinds", schema: KINDS, migration, recipe, ..Fixture::PLAIN };
    let phases = files::phases(&fixture).expect("is possible");
    for level in ["READ COMMITTED", "REPEATABLE READ"] {
        let database = cluster().database();
        database.run(KINDS);
        for step in phases.iter().take_while(|it| it.kind != PhaseKind::Cutover).flat_map(Phase::migrations) {
            files::up(&database, step).expect("goes up");
        }
        for write in [
            "UPDATE parties SET kind = 'client' WHERE kind = 'other' AND id BETWEEN 150 AND 160",
            "UPDATE parties SET kind = 'third' WHERE kind = 'client' AND id BETWEEN 50 AND 60",
            "UPDATE parties SET name = 'x' WHERE id BETWEEN 10 AND 20",
            "UPDATE parties SET id = id + 1000 WHERE id BETWEEN 21 AND 25",
            "DELETE FROM parties WHERE kind = 'other' AND id = 30; DELETE FROM parties WHERE kind = 'client' AND id = 31",
            "UPDATE clients SET id = id + 2000 WHERE id BETWEEN 40 AND 45; DELETE FROM clients WHERE id = 46",
            "INSERT INTO clients VALUES (55, 'again', '[]'); INSERT INTO parties VALUES ('client', 5000, 'new')",
        ] {
            database.run(&format!("BEGIN ISOLATION LEVEL {level}; {write}; COMMIT"));
            assert_eq!(count(&database, agrees(&phases)), 0, "{level}: {write}");
        }
        let others = "SELECT string_agg(kind || count, ' ' ORDER BY kind) FROM (SELECT kind, count(*) FROM parties GROUP BY 1) k";
        assert_eq!(database.value(others), "client100 other188 third11");
        assert_eq!(database.value("SELECT count(*) FROM clients WHERE id IN (46, 31, 50) OR id = 5000"), "1");
        database.run("TRUNCATE clients");
        assert_eq!(database.value(others), "other188 third11");
    }
    let database = cluster().database();
    database.run(&format!("{KINDS} INSERT INTO parties VALUES ('client', 7, 'is there')"));
    let failure = files::up(&database, migrations(&phases[0])[0]).expect_err("is not told apart");
    assert!(failure.message.contains("change or remove them first"), "{failure}");
}

#[test]
fn rows_come_over_in_the_order_that_was_asked_for() {
    let schema = "CREATE TABLE notes (id int PRIMARY KEY, n int NOT NULL); CREATE INDEX by_n ON notes (n);
        INSERT INTO notes SELECT g, (g * 7919) % 5003 FROM generate_series(1, 5000) g;";
    let migration = "CLUSTER notes USING by_n;";
    let fixture = Fixture { name: "notes", schema, migration, ..Fixture::PLAIN };
    let phases = files::phases(&fixture).expect("is possible");
    let database = cluster().database();
    database.run(schema);
    for step in phases.iter().flat_map(Phase::migrations) {
        files::up(&database, step).expect("goes up");
    }
    let behind = "SELECT count(*) FROM (SELECT n < lag(n) OVER (ORDER BY ctid) AS before FROM notes) pair WHERE before";
    assert_eq!(database.value(behind), "0");
    let marked =
        "SELECT indexrelid::regclass FROM pg_index WHERE indisclustered AND indrelid = 'notes'::regclass";
    assert_eq!(database.value(marked), "by_n");
}
