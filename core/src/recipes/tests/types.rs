//! Changes of types that lose something, and of types themselves.

use super::*;
use crate::mechanics::{Answers, Narrow};
use crate::plan::Work;

const PARTS: &str = "CREATE TABLE t (id int PRIMARY KEY, a bigint NOT NULL, b text, c numeric(12, 4), d int UNIQUE, e int REFERENCES t);";

fn answered(change: &str, answer: &str) -> Result<Vec<Phase>, String> {
    let target = Target::postgres(Version::major(15));
    let mut before = Catalog::empty(Dialect::Postgres);
    replay(part(PARTS), &target, &mut before);
    let answers = Answers::from([(Narrow::QUESTION.to_owned(), answer.to_owned())]);
    let scene = Scene { answers: &answers, ..scene(change, "", &target, &before) };
    written_in(change, &scene, Way::Triggers).map_err(|it| it.reason)
}

/// The value that the backfill writes.
fn value(change: &str, answer: &str) -> String {
    let phases = answered(change, answer).unwrap_or_else(|reason| panic!("{change}: {reason}"));
    let job = phases.iter().flat_map(Phase::migrations).find_map(|it| it.job().cloned());
    match job.map(|it| it.work) {
        Some(Work::Set(set)) => set[0].1.clone(),
        other => panic!("{change}: {other:?}"),
    }
}

const STATES: &str = "CREATE TYPE state AS ENUM ('new', 'canceled', 'paid');
    CREATE TABLE o (id int PRIMARY KEY, state state NOT NULL DEFAULT 'canceled', b state CHECK (b <> 'paid')); CREATE INDEX o_state ON o (state);
    CREATE TABLE l (about state); CREATE TYPE s2 AS ENUM ('a', 'b');";

fn states(more: &str) -> Catalog {
    let mut before = Catalog::empty(Dialect::Postgres);
    replay(part(&format!("{STATES}{more}")), &Target::default(), &mut before);
    before
}

#[test]
fn enums_change_in_clean_files_and_end_with_the_same_labels() {
    for major in [12, 15, 18] {
        let target = Target::postgres(Version::major(major));
        for change in [
            "ALTER TYPE state ADD VALUE 'lost' BEFORE 'paid'",
            "ALTER TYPE state ADD VALUE IF NOT EXISTS 'lost'",
            "ALTER TYPE state RENAME VALUE 'canceled' TO 'cancelled'",
        ] {
            let before = states("");
            prove(change, &target, &before, Way::Triggers);
            let labels = |after: &Catalog| format!("{:?}", after.type_named(&Name::new("state")));
            let (mut written_out, mut direct) = (before.clone(), before.clone());
            replay_steps(
                &written(change, &target, &before, Way::Triggers).expect("is possible"),
                &target,
                &mut written_out,
            );
            replay(part(change), &target, &mut direct);
            assert_eq!(labels(&written_out), labels(&direct), "{change}");
        }
    }
}

const REMOVE: &str = "ALTER TYPE state RENAME TO state_old; CREATE TYPE state AS ENUM ('paid', 'canceled');
    ALTER TABLE o ALTER state TYPE state USING state::text::state; ALTER TABLE o ALTER b TYPE state USING b::text::state;
    ALTER TABLE l ALTER about TYPE state USING (about::text::state); DROP TYPE state_old;";

#[test]
fn an_enum_is_made_anew_without_a_label() {
    let before = states("ALTER TABLE o DROP CONSTRAINT o_b_check;");
    for major in [12, 18] {
        prove(REMOVE, &Target::postgres(Version::major(major)), &before, Way::Triggers);
    }
    let phases = written(REMOVE, &Target::default(), &before, Way::Triggers).expect("is possible");
    let releases: Vec<_> = phases.iter().flat_map(Phase::releases).collect();
    assert_eq!(releases.len(), 2, "{releases:?}");
    let counts: Vec<_> =
        phases.iter().flat_map(|it| &it.entry).filter_map(|it| it.query.as_deref()).collect();
    assert!(counts.contains(&"SELECT count(*) FROM l WHERE about::text IN ('new')"), "{counts:?}");
}

#[test]
fn enums_that_cannot_be_made_anew_are_refused_in_words() {
    let added = REMOVE.replace("'canceled')", "'canceled', 'lost')");
    for (more, change, reason) in [
        ("", added.as_str(), "'lost' is new in state: add it first"),
        ("ALTER TABLE l ADD CHECK (about <> 'new');", REMOVE, "the check l_about_check says new"),
        ("CREATE VIEW v AS SELECT state FROM o;", REMOVE, "the view v reads state"),
    ] {
        let refusal = written(change, &Target::default(), &states(more), Way::Triggers).expect_err(change);
        assert!(refusal.reason.contains(reason), "{change}: {}", refusal.reason);
    }
}

/// Carried out behind the others, it would ask for a type of that name that is another by then, or gone.
#[test]
fn what_uses_the_type_between_keeps_it_from_being_one_change() {
    let grouped = |change: &str| {
        let (target, before) = (Target::default(), states("ALTER TABLE o DROP CONSTRAINT o_b_check;"));
        let operations = operations(change);
        let scene = scene(change, "", &target, &before);
        group(&operations.iter().collect::<Vec<_>>(), &scene).is_some()
    };
    let with = |between: &str| REMOVE.replace("DROP TYPE", &format!("{between}; DROP TYPE"));
    assert!(grouped(&with("ALTER TABLE apart ADD COLUMN c int")));
    assert!(!grouped(&with("ALTER TABLE apart ADD COLUMN c state_old")));
    assert!(!grouped(&with("CREATE TABLE apart (c state)")));
}

#[test]
fn the_place_of_a_value_is_always_stated() {
    let place = |change: &str| {
        let phases = written(change, &Target::default(), &states(""), Way::Triggers).expect("is possible");
        phases.iter().flat_map(Phase::migrations).next().map(|it| it.up()).unwrap_or_default()
    };
    assert!(place("ALTER TYPE state ADD VALUE 'lost'").contains("ADD VALUE 'lost' AFTER 'paid'"));
    assert!(
        place("ALTER TYPE state ADD VALUE 'lost' BEFORE 'new'").contains("ADD VALUE 'lost' BEFORE 'new'")
    );
}

#[test]
fn enums_that_cannot_be_carried_over_are_refused_in_words() {
    let rename = "ALTER TYPE state RENAME VALUE 'canceled' TO 'cancelled'";
    for (more, change, reason) in [
        ("", "ALTER TYPE other RENAME VALUE 'a' TO 'b'", "nothing is known of the enum other"),
        ("", "ALTER TYPE state RENAME VALUE 'lost' TO 'b'", "state has no value lost"),
        ("", "ALTER TYPE state RENAME VALUE 'canceled' TO 'paid'", "state has a value paid already"),
        ("", "ALTER TYPE s2 RENAME VALUE 'a' TO 'c'", "no column of s2 is known"),
        ("", "ALTER TYPE state ADD VALUE 'paid'", "state has the value paid already"),
        ("CREATE VIEW v AS SELECT state FROM o;", rename, "the view v reads state"),
        ("CREATE TABLE many (all_of state[]);", rename, "many.all_of is an array of state"),
        ("CREATE INDEX i ON l (about) WHERE about = 'canceled';", rename, "the index i says canceled"),
        ("ALTER TABLE l ADD CHECK (about <> 'new'::state);", rename, "the check l_about_check says state"),
        ("ALTER TABLE o ADD CONSTRAINT both CHECK (b <> state);", rename, "the check both is about"),
        (
            "ALTER TABLE l ALTER about SET DEFAULT lower('canceled')::state;",
            rename,
            "the default of l.about says 'canceled'",
        ),
    ] {
        let refusal = written(change, &Target::default(), &states(more), Way::Triggers).expect_err(change);
        assert!(refusal.reason.contains(reason), "{change}: {}", refusal.reason);
    }
}

#[test]
fn values_that_do_not_fit_become_what_was_answered() {
    for (change, answer, expected) in [
        ("ALTER TABLE t ALTER a TYPE int", "reject", "a::integer"),
        (
            "ALTER TABLE t ALTER a TYPE int",
            "clamp",
            "CASE WHEN a >= 2147483647 THEN '2147483647'::integer WHEN a <= -2147483648 THEN '-2147483648'::integer ELSE a::integer END",
        ),
        (
            "ALTER TABLE t ALTER c TYPE int2",
            "clamp",
            "CASE WHEN c = 'NaN' THEN NULL WHEN c >= 32767 THEN '32767'::smallint WHEN c <= -32768 THEN '-32768'::smallint \
             ELSE c::smallint END",
        ),
        (
            "ALTER TABLE t ALTER c TYPE numeric(3, 3)",
            "clamp",
            "CASE WHEN c = 'NaN' THEN c::numeric(3,3) WHEN c >= 999e-3 THEN '999e-3'::numeric(3,3) WHEN c <= -999e-3 THEN \
             '-999e-3'::numeric(3,3) ELSE c::numeric(3,3) END",
        ),
        ("ALTER TABLE t ALTER b TYPE char(3)", "clamp", "b::character(3)"),
        (
            "ALTER TABLE t ALTER b TYPE varchar(3)",
            "null",
            "CASE WHEN rtrim(substr(b, 3 + 1), ' ') <> '' THEN NULL ELSE b::character varying(3) END",
        ),
        // Whoever writes a cast of text cuts it.
        ("ALTER TABLE t ALTER b TYPE varchar(3) USING b::varchar(3)", "null", "b::varchar(3)"),
        ("ALTER TABLE t ALTER d TYPE bigint", "clamp", "d::bigint"),
    ] {
        assert_eq!(value(change, answer), expected, "{change}");
    }
}

/// The statements of the ways up and down of the first migration.
fn first(change: &str, back: &str) -> Result<String, String> {
    let target = Target::postgres(Version::major(15));
    let mut before = Catalog::empty(Dialect::Postgres);
    replay(part(PARTS), &target, &mut before);
    let phases = written_in(change, &scene(change, back, &target, &before), Way::Triggers);
    let phases = phases.map_err(|it| it.reason)?;
    Ok(phases.iter().flat_map(Phase::migrations).next().map(|it| it.up()).unwrap_or_default())
}

#[test]
fn old_values_of_another_meaning_are_computed_as_the_way_back_says() {
    let change = "ALTER TABLE t ALTER a TYPE numeric(10, 2) USING a / 100.0";
    let refused = first(change, "").expect_err("nothing is guessed");
    assert!(refused.contains("-- lockkeeper: back UPDATE t SET a = …"), "{refused}");
    for back in [
        "ALTER TABLE t ALTER COLUMN a TYPE bigint USING (a * 100)::bigint",
        "UPDATE t SET a = (a * 100)::bigint",
    ] {
        let up = first(change, back).expect("it is stated");
        assert!(up.contains("NEW.a := (NEW.a_new * 100)::bigint;"), "{up}");
    }
    assert!(
        first("ALTER TABLE t ALTER a TYPE text USING (a)::text", "").is_ok(),
        "a cast alone goes back by a cast"
    );
}

#[test]
fn answers_that_a_column_cannot_follow_are_refused_in_words() {
    for (change, answer, reason) in [
        (
            "ALTER TABLE t ALTER a TYPE int",
            "cut",
            "there is no answer cut to narrowing: there are reject, clamp, null",
        ),
        ("ALTER TABLE t ALTER a TYPE int", "null", "t.a refuses NULL"),
        ("ALTER TABLE t ALTER d TYPE int2", "clamp", "t.d is unique or points at another table"),
        ("ALTER TABLE t ALTER e TYPE int2", "clamp", "t.e is unique or points at another table"),
    ] {
        let refusal = answered(change, answer).expect_err(change);
        assert!(refusal.contains(reason), "{change}: {refusal}");
    }
}

#[test]
fn a_narrowed_column_ends_in_the_same_schema() {
    for major in [12, 18] {
        let target = Target::postgres(Version::major(major));
        let mut before = Catalog::empty(Dialect::Postgres);
        replay(part(PARTS), &target, &mut before);
        for change in [
            "ALTER TABLE t ALTER a TYPE int",
            "ALTER TABLE t ALTER b TYPE varchar(7)",
            "ALTER TABLE t ALTER d TYPE int2",
        ] {
            prove(change, &target, &before, Way::Triggers);
        }
    }
}

#[test]
fn without_an_answer_nothing_that_does_not_fit_is_let_in() {
    let phases = answered("ALTER TABLE t ALTER a TYPE int", "reject").expect("is possible");
    let kinds: Vec<&str> = phases.iter().map(|it| it.kind.id()).take(4).collect();
    assert_eq!(kinds, ["dual-write", "expand", "verification", "expand"]);
    let count = phases[2].entry[0].query.as_deref();
    assert_eq!(count, Some("SELECT count(*) FROM t WHERE a NOT BETWEEN -2147483648 AND 2147483647"));
    assert!(phases[2].entry[0].text.contains("or answer clamp or null to narrowing"));
}
