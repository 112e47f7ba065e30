//! MERGE, DELETE … USING and UPDATE … FROM: which of them change more rows than anybody counted.

use super::found_in;
use crate::framework::Transaction;

const HEROES: &str = "CREATE TABLE heroes (id int PRIMARY KEY, alias text UNIQUE, last text);
    CREATE TABLE villains (id int PRIMARY KEY, hero int);";

#[track_caller]
fn changes(text: &str, what: &str) {
    let found = found_in("unbounded-data-change", HEROES, text, Transaction::Autocommit);
    let message =
        format!("{what} of heroes in one transaction, and writers of those rows wait for all of it");
    assert_eq!(found, [message], "{text}");
}

#[track_caller]
fn is_bounded(text: &str) {
    let found = found_in("unbounded-data-change", HEROES, text, Transaction::Autocommit);
    assert_eq!(found, Vec::<String>::new(), "{text}");
}

/// Counted on 15: each changed or deleted all rows.
#[test]
fn a_merge_may_change_every_row() {
    changes(
        "MERGE INTO heroes h USING (SELECT 1 AS one) s ON true WHEN MATCHED THEN DELETE;",
        "deletes every row",
    );
    changes(
        "MERGE INTO heroes USING villains v ON v.hero = heroes.id
         WHEN NOT MATCHED THEN INSERT VALUES (v.id) WHEN MATCHED THEN UPDATE SET last = 'x';",
        "changes an unknown number of rows",
    );
    changes(
        "MERGE INTO heroes AS h USING (SELECT id FROM villains) v ON h.id = v.id WHEN MATCHED AND h.last IS NULL THEN DO NOTHING WHEN MATCHED THEN DELETE;",
        "deletes an unknown number of rows",
    );
    changes(
        "MERGE INTO heroes h USING (VALUES (1)) v(id) ON h.id = v.id WHEN NOT MATCHED BY SOURCE THEN DELETE;",
        "deletes an unknown number of rows",
    );
}

/// Counted on 15: the key joins both tables, and binds neither.
#[test]
fn a_join_bounds_nothing() {
    changes(
        "DELETE FROM heroes USING villains WHERE heroes.id = villains.hero;",
        "deletes an unknown number of rows",
    );
    changes(
        "DELETE FROM heroes h USING villains v WHERE v.hero = h.id;",
        "deletes an unknown number of rows",
    );
    changes("DELETE FROM heroes USING villains;", "deletes every row");
    changes("DELETE FROM heroes h USING villains v WHERE v.id = 5;", "deletes an unknown number of rows");
    changes(
        "UPDATE heroes SET last = 'x' FROM villains v WHERE v.hero = heroes.id;",
        "changes an unknown number of rows",
    );
}

/// Counted on 15: as many rows as values, or those of a key.
#[test]
fn values_and_keys_bound_the_rows() {
    is_bounded(
        "MERGE INTO heroes h USING (VALUES (1, 'a'), (2, 'b')) v(id, last) ON h.id = v.id WHEN MATCHED THEN UPDATE SET last = v.last;",
    );
    is_bounded("MERGE INTO heroes h USING (SELECT 1 AS id) v ON h.id = v.id WHEN MATCHED THEN DELETE;");
    is_bounded(
        "MERGE INTO heroes h USING villains v ON h.id = v.hero AND h.id BETWEEN 1 AND 9 WHEN MATCHED THEN DELETE;",
    );
    is_bounded(
        "MERGE INTO heroes h USING villains v ON h.id = v.hero WHEN MATCHED AND h.id < 100 THEN DELETE;",
    );
    is_bounded(
        "MERGE INTO heroes h USING villains v ON h.id = v.hero WHEN NOT MATCHED THEN INSERT VALUES (v.hero);",
    );
    is_bounded("MERGE INTO heroes h USING villains v ON h.id = v.hero WHEN MATCHED THEN DO NOTHING;");
    is_bounded("DELETE FROM heroes USING (VALUES (1), (2)) v(n) WHERE heroes.id = v.n;");
    is_bounded(
        "UPDATE heroes h SET last = v.last FROM (VALUES ('a', 'b')) AS v (alias, last) WHERE h.alias = v.alias;",
    );
    is_bounded("DELETE FROM heroes h USING villains v WHERE v.hero = h.id AND h.id < 1000;");
}
