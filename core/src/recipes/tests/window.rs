//! The change as it was written, in a window.

use expect_test::{Expect, expect};

use super::*;
use crate::mechanics::{in_window, written};

#[track_caller]
fn check_window(change: &str, back: &str, expected: Expect) {
    let target = Target::postgres(Version::major(15));
    let mut catalog = Catalog::empty(Dialect::Postgres);
    replay(
        part("CREATE TABLE t (id int PRIMARY KEY, a int); CREATE INDEX t_a ON t (a);"),
        &target,
        &mut catalog,
    );
    let read = |text| written(text, &check(part(text), &target, &catalog));
    let phases = in_window("change", &read(change), &read(back), Dialect::Postgres);
    let step = |it: &SqlStep| {
        let kind = if it.transactional { "in a transaction" } else { "alone" };
        format!("{} {kind}\n{}back\n{}", it.name, it.up(), it.down().as_deref().unwrap_or("-\n"))
    };
    expected.assert_eq(&phases[0].migrations().map(step).collect::<String>());
}

#[test]
fn statements_stay_whole_in_one_transaction_with_our_timeout() {
    check_window(
        "BEGIN; SET lock_timeout = '1h';
ALTER TABLE t ADD b int, ADD CONSTRAINT c CHECK (a > 0);
CREATE INDEX t_b ON t (b); COMMIT;",
        "",
        expect![[r#"
            change in a transaction
            SET LOCAL lock_timeout = '2s';
            ALTER TABLE t ADD b int, ADD CONSTRAINT c CHECK (a > 0);
            CREATE INDEX t_b ON t (b);
            back
            SET LOCAL lock_timeout = '2s';
            DROP INDEX t_b;
            ALTER TABLE t DROP CONSTRAINT c;
            ALTER TABLE t DROP COLUMN b;
        "#]],
    );
}

#[test]
fn what_runs_outside_a_transaction_is_a_migration_of_its_own() {
    check_window(
        "SET search_path = public; ALTER TABLE t ALTER a TYPE bigint; SET work_mem = '1GB'; VACUUM FULL t; CREATE INDEX CONCURRENTLY i ON t (a);",
        "",
        expect![[r#"
            change in a transaction
            SET LOCAL lock_timeout = '2s';
            SET search_path = public;
            ALTER TABLE t ALTER a TYPE bigint;
            back
            -
            change_2 alone
            VACUUM FULL t;
            back
            -
            change_3 alone
            CREATE INDEX CONCURRENTLY i ON t (a);
            back
            DROP INDEX CONCURRENTLY i;
        "#]],
    );
}

#[test]
fn the_way_back_is_the_written_one_and_allowances_stay() {
    check_window(
        "-- a note
-- lockkeeper: allow dropped-column because nobody reads it
ALTER TABLE t DROP COLUMN a;
ALTER TABLE t ADD b int; -- lockkeeper: allow something because it is so
VACUUM t;",
        "ALTER TABLE t ADD a int; ALTER TABLE t DROP COLUMN b;",
        expect![[r#"
            change in a transaction
            SET LOCAL lock_timeout = '2s';
            -- lockkeeper: allow dropped-column because nobody reads it
            ALTER TABLE t DROP COLUMN a;
            -- lockkeeper: allow something because it is so
            ALTER TABLE t ADD b int;
            back
            SET LOCAL lock_timeout = '2s';
            ALTER TABLE t ADD a int;
            ALTER TABLE t DROP COLUMN b;
            change_2 alone
            VACUUM t;
            back
            -
        "#]],
    );
}
