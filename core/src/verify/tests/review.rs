//! Steps of other people: where a release can stand, and what is wrong.

use std::collections::BTreeSet;

use super::{part, schema, sql, target};
use crate::check::replay;
use crate::plan::{Phase, PhaseKind, Step};
use crate::verify::{Change, Releases, Review, Traffic, review};

const USERS: &str = "CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL, age int);";

fn reviewed(before: &str, steps: &[&str]) -> Review {
    let before = schema(before);
    let mut after = before.clone();
    steps.iter().for_each(|step| replay(part(step), &target(), &mut after));
    let (target, broken) = (target(), BTreeSet::new());
    let change = Change {
        before: &before,
        after: &after,
        broken: &broken,
        target: &target,
        traffic: Traffic::Releases,
    };
    let mut migrations: Vec<Step> = steps.iter().map(|step| sql(step, "")).collect();
    for step in &mut migrations {
        if let Step::Sql(step) = step {
            step.down = None;
        }
    }
    review(&change, &[Phase::new(PhaseKind::Expand, "", migrations)])
}

#[track_caller]
fn released(before: &str, steps: &[&str], expected: Option<Releases>) -> Review {
    let review = reviewed(before, steps);
    assert_eq!(review.releases, expected, "{review:#?}");
    review
}

#[test]
fn what_nobody_misses_needs_no_release() {
    released(USERS, &["CREATE INDEX CONCURRENTLY i ON users (name);"], Some(Releases::Anywhere));
    released(USERS, &["ALTER TABLE users DROP COLUMN age;"], Some(Releases::One(0..=0)));
    // The new release uses what is added.
    released(USERS, &["ALTER TABLE users ADD COLUMN b int;"], Some(Releases::One(1..=1)));
}

#[test]
fn a_rename_in_one_step_has_no_place_for_a_release() {
    let review = released(USERS, &["ALTER TABLE users RENAME COLUMN name TO full_name;"], None);
    assert_eq!(review.states[0].new[0], "column users.full_name is not there yet");
    assert!(review.states[1].running[0].contains("users.name is gone"), "{review:#?}");
}

/// Both columns are there in between. While the old one is required the new release cannot write, and when it is gone the one that writes both cannot.
#[test]
fn what_only_both_names_can_write_needs_a_release_between() {
    let steps = [
        "ALTER TABLE users ADD COLUMN full_name text;",
        "UPDATE users SET full_name = name;",
        "ALTER TABLE users ADD CONSTRAINT f CHECK (full_name IS NOT NULL) NOT VALID;",
        "ALTER TABLE users ALTER COLUMN name DROP NOT NULL;",
        "ALTER TABLE users DROP COLUMN name;",
    ];
    released(USERS, &[&steps[..3], &steps[4..]].concat(), None);
    released(USERS, &steps, Some(Releases::Two(1..=2, 4..=4)));
}

#[test]
fn a_trigger_lets_the_new_release_stand_beside_the_old() {
    let sync = "CREATE FUNCTION sync() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF NEW.full_name IS NULL THEN NEW.full_name := NEW.name; ELSE NEW.name := NEW.full_name; END IF; RETURN NEW; END $$;
        CREATE TRIGGER sync BEFORE INSERT OR UPDATE ON users FOR EACH ROW EXECUTE FUNCTION sync();";
    let steps = [
        &*format!("ALTER TABLE users ADD COLUMN full_name text; {sync}"),
        "UPDATE users SET full_name = name WHERE full_name IS NULL;",
        "DROP TRIGGER sync ON users; DROP FUNCTION sync(); ALTER TABLE users DROP COLUMN name;",
    ];
    let review = released(USERS, &steps, Some(Releases::One(1..=2)));
    assert!(review.objections.is_empty(), "{review:#?}");
}

#[test]
fn what_fails_and_what_stays_empty_is_told() {
    let review = reviewed(USERS, &["ALTER TABLE users DROP COLUMN nam;"]);
    assert!(review.objections[0].words.contains("nam"), "{review:#?}");
    let filled = [
        "ALTER TABLE users ADD COLUMN org int;",
        "UPDATE users SET org = 1;",
        "ALTER TABLE users ALTER COLUMN org SET NOT NULL;",
    ];
    let review = reviewed(USERS, &filled);
    assert!(review.objections.iter().any(|it| it.words.contains("behind this backfill")), "{review:#?}");
    // The old column goes, and what was written into it meanwhile.
    let dropped = [
        "ALTER TABLE users ADD COLUMN full_name text;",
        "UPDATE users SET full_name = name;",
        "ALTER TABLE users DROP COLUMN name;",
    ];
    let review = reviewed(USERS, &dropped);
    assert!(review.objections[0].words.contains("users.name behind this step"), "{review:#?}");
    let again =
        [dropped[0], dropped[1], "UPDATE users SET full_name = name WHERE full_name IS NULL;", dropped[2]];
    assert_eq!(reviewed(USERS, &again).objections, []);
}
