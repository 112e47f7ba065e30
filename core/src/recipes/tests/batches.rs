//! Rows that are changed in batches, and how they are walked.

use super::*;

/// What a batched change asks of rows, or why there is none.
fn batched(change: &str) -> Result<String, String> {
    let schema =
        "CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t, a int, b numeric(10, 2), c json, d text);
        CREATE TABLE u (id int PRIMARY KEY, up int REFERENCES u ON DELETE CASCADE, a int, credit_limit int);";
    let target = Target::postgres(Version::major(15));
    let mut before = Catalog::empty(Dialect::Postgres);
    replay(part(schema), &target, &mut before);
    let phases = written(change, &target, &before, Way::Triggers).map_err(|it| it.reason)?;
    let job = phases[0].migrations().next().and_then(|it| it.job().cloned()).expect("is a job");
    let assigned = |(column, value): &(String, String)| format!("{column} = {value}");
    let verb = match &job.work {
        Work::Set(set) => set.iter().map(assigned).collect::<Vec<_>>().join(", "),
        other => format!("{other:?}").to_uppercase(),
    };
    Ok(format!("{verb} WHERE {}", job.pending))
}

#[test]
fn rows_are_changed_in_batches_that_can_be_run_again() {
    for (change, expected) in [
        (
            "UPDATE t SET b = a / 3.0, d = lower('X, from') WHERE a > 0 AND d IS NULL",
            "b = a / 3.0, d = lower('X, from') WHERE (a > 0 AND d IS NULL) AND (b IS DISTINCT FROM CAST((a / 3.0) AS numeric(10,2)) \
             OR d IS DISTINCT FROM CAST((lower('X, from')) AS text))",
        ),
        (
            "UPDATE t SET d = (SELECT min(a) FROM u)",
            "d = (SELECT min(a) FROM u) WHERE d IS DISTINCT FROM CAST(((SELECT min(a) FROM u)) AS text)",
        ),
        (
            "UPDATE t AS x SET a = y.a + x.up FROM u AS y WHERE y.id = x.up",
            "a = (SELECT y.a + t.up FROM u y WHERE y.id = t.up LIMIT 1) WHERE (EXISTS (SELECT FROM u y WHERE y.id = t.up)) AND \
             (a IS DISTINCT FROM CAST(((SELECT y.a + t.up FROM u y WHERE y.id = t.up LIMIT 1)) AS integer))",
        ),
        ("DELETE FROM u WHERE a > 7", "DELETE WHERE a > 7"),
        ("DELETE FROM u", "DELETE WHERE true"),
        ("DELETE FROM u WHERE credit_limit > 7", "DELETE WHERE credit_limit > 7"),
        ("DELETE FROM u AS x WHERE x.a > 7 AND up IS NULL", "DELETE WHERE u.a > 7 AND up IS NULL"),
        (
            "DELETE FROM u x WHERE EXISTS (SELECT FROM t WHERE t.a = x.a)",
            "DELETE WHERE EXISTS (SELECT FROM t WHERE t.a = u.a)",
        ),
    ] {
        assert_eq!(batched(change).as_deref(), Ok(expected), "{change}");
    }
}

#[test]
fn changes_that_batches_would_change_are_refused_in_words() {
    for (change, reason) in [
        ("UPDATE t SET a = a + 1", "a is computed from a, which it changes"),
        ("UPDATE t SET a = up, up = a", "a is computed from up, which it changes"),
        ("UPDATE t SET d = random()::text", "differs from one moment to the next"),
        ("UPDATE t SET d = now()::text", "differs from one moment to the next"),
        ("UPDATE t SET d = 'x' WHERE random() < 0.5", "may answer otherwise each time"),
        ("UPDATE t x SET a = 1 FROM u JOIN t ON true WHERE u.id = x.id", "reads the same table"),
        ("UPDATE t SET a = 1 FROM u", "it is more than UPDATE"),
        ("UPDATE t x SET a = x.a + 1", "a is computed from a, which it changes"),
        ("UPDATE ONLY t SET a = 1", "it is more than UPDATE"),
        ("UPDATE t SET (a, up) = (SELECT 1, 2)", "it is more than UPDATE"),
        ("UPDATE t SET a = 1 WHERE a IS NULL RETURNING id", "it is more than UPDATE"),
        ("WITH x AS (SELECT 1) UPDATE t SET a = 1", "it is more than UPDATE"),
        ("UPDATE t SET a = (SELECT count(*) FROM t x)", "reads the same table"),
        ("UPDATE t SET a = 1 WHERE id IN (SELECT id FROM u LIMIT 5)", "a LIMIT"),
        ("UPDATE t SET a = 1 WHERE id IN (SELECT id FROM u FETCH FIRST ROW ONLY)", "a LIMIT"),
        ("UPDATE t SET a = DEFAULT", "write the value"),
        ("DELETE FROM u x WHERE EXISTS (SELECT FROM t x WHERE x.a > 7)", "is called like the table"),
        ("DELETE FROM u x WHERE EXISTS (SELECT FROM t u WHERE u.a = x.a)", "is called like the table"),
        ("DELETE FROM u x USING t WHERE t.a = x.a", "it is more than DELETE"),
        ("DELETE FROM u x WHERE EXISTS (SELECT FROM t AS x WHERE x.a > 7)", "is called like the table"),
        ("UPDATE t x SET a = (SELECT x.a FROM u x LIMIT 1)", "nothing in it called like the table"),
        ("UPDATE t x SET a = (SELECT t.a FROM u t WHERE t.id = x.id)", "nothing in it called like the table"),
        ("UPDATE t x SET a = (SELECT max(t.a) FROM t)", "reads the same table"),
        ("UPDATE t SET c = '{}'", "values of json cannot be compared"),
        ("UPDATE t SET id = 7", "id is in the key that its batches go by"),
        ("DELETE FROM t WHERE a > 7", "t_up_fkey points at the same table"),
        ("DELETE FROM u USING t WHERE t.id = u.id", "it is more than DELETE"),
        ("DELETE FROM u WHERE a = (SELECT max(a) FROM u)", "reads the same table"),
        ("DELETE FROM unknown", "nothing is known of the table"),
    ] {
        let refusal = batched(change).expect_err(change);
        assert!(refusal.contains(reason), "{change}: {refusal}");
    }
}

/// The backfill of `ALTER TABLE t RENAME COLUMN b TO c`.
fn backfill(schema: &str, major: u16) -> crate::plan::SqlStep {
    let target = Target::postgres(Version::major(major));
    let mut before = Catalog::empty(Dialect::Postgres);
    replay(part(schema), &target, &mut before);
    let phases = written("ALTER TABLE t RENAME COLUMN b TO c", &target, &before, Way::Triggers);
    let phases = phases.unwrap_or_else(|refusal| panic!("{schema}: {refusal:?}"));
    let step = phases.iter().flat_map(Phase::migrations).find(|step| step.job().is_some());
    step.expect("has a backfill").clone()
}

#[test]
fn windows_are_filled_in_passes_where_that_spares_indexes() {
    let walk = |schema: &str| match backfill(schema, 15).job().expect("it is a backfill").walk.clone() {
        Walk::Key { columns, passes, spread } => format!("{} {passes} {spread}", columns.join(",")),
        Walk::Pages { .. } => "pages".to_owned(),
    };
    let key = "CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL, b text);";
    assert_eq!(walk(key), "id 1 hashint8(id)");
    assert_eq!(walk(&format!("{key} CREATE INDEX ON t (a);")), "id 10 hashint8(id)");
    // The new column has no index yet; that the old one has is no reason.
    assert_eq!(walk(&format!("{key} CREATE INDEX ON t (b);")), "id 10 hashint8(id)");
    let random = "CREATE TABLE t (id uuid PRIMARY KEY, a int, b text); CREATE INDEX ON t (a);";
    assert_eq!(walk(random), "id 1 hashtext(id::text)");
    let composite =
        "CREATE TABLE t (a int, \"B\" text, b text, PRIMARY KEY (a, \"B\")); CREATE INDEX ON t (a);";
    assert_eq!(walk(composite), "a,B 10 hashtext(ROW(a, \"B\")::text)");
    let unique = "CREATE TABLE t (a int NOT NULL UNIQUE, b text, d text UNIQUE);";
    assert_eq!(walk(unique), "a 10 hashint8(a)");
    assert_eq!(walk("CREATE TABLE t (a int UNIQUE, b text);"), "pages");
}

#[test]
fn a_table_without_a_key_is_walked_by_pages_in_the_way_of_the_version() {
    let keyless = "CREATE TABLE t (a int, b text);";
    assert!(backfill(keyless, 14).up().contains("WHERE ctid >= format('(%s,0)', _page)::tid AND ctid <"));
    assert!(
        backfill(keyless, 13).up().contains("WHERE ctid = ANY (ARRAY(SELECT format('(%s,%s)', p, i)::tid")
    );
}

#[test]
fn a_backfill_is_one_statement_that_commits_each_batch() {
    let schema = "CREATE TABLE t (id int PRIMARY KEY, a int, b text); CREATE INDEX ON t (a);
                  CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
                  CREATE TRIGGER touch BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f();";
    expect_test::expect![[r#"
        -- One statement for as long as it takes: run it in a session without statement_timeout. It can be stopped, and run again.
        -- Row triggers that may fire for each row: touch
        DO $lockkeeper$
        DECLARE
          _low_1 t.id%TYPE;
          _high_1 t.id%TYPE;
          _passes int := 10;
          _updated bigint;
          _hot bigint;
          _more boolean;
          _changed bigint;
          _filled bigint := 0;
          _windows bigint := 0;
          _tries int;
        BEGIN
          SELECT id INTO _low_1 FROM t ORDER BY id LIMIT 1;
          _more := FOUND;
          WHILE _more LOOP
            SELECT id INTO _high_1 FROM t
              WHERE (id) >= (_low_1) ORDER BY id OFFSET 999 LIMIT 1;
            _more := FOUND;
            IF NOT _more THEN
              SELECT id INTO _high_1 FROM t ORDER BY id DESC LIMIT 1;
            END IF;
            PERFORM 1 FROM t WHERE (id) >= (_low_1) AND (id) <= (_high_1) AND (c IS NULL AND b IS NOT NULL) LIMIT 1;
            IF FOUND THEN
              _updated := pg_stat_get_xact_tuples_updated('t'::regclass);
              _hot := pg_stat_get_xact_tuples_hot_updated('t'::regclass);
              FOR _pass IN 0 .. _passes - 1 LOOP
                _tries := 0;
                LOOP
                  PERFORM set_config('lockkeeper.backfill', 'on', true), set_config('lock_timeout', '500ms', true);
                  BEGIN
                    UPDATE t SET c = b
                      WHERE (id) >= (_low_1) AND (id) <= (_high_1)
                            AND (hashint8(id) & 2147483647) % _passes = _pass AND (c IS NULL AND b IS NOT NULL);
                    GET DIAGNOSTICS _changed = ROW_COUNT;
                    EXIT;
                  EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
                    _tries := _tries + 1;
                    IF _tries = 80 THEN RAISE; END IF;
                  END;
                  COMMIT;
                END LOOP;
                _filled := _filled + _changed;
                COMMIT;
              END LOOP;
              _updated := pg_stat_get_xact_tuples_updated('t'::regclass) - _updated;
              _hot := pg_stat_get_xact_tuples_hot_updated('t'::regclass) - _hot;
              IF _passes > 1 AND _hot * 10 < _updated * 3 THEN
                _passes := 1;  -- an old transaction keeps dead rows from being pruned: passes only cost then
                RAISE NOTICE 't.c: one pass a window, while few rows stay on their page';
              END IF;
            END IF;
            COMMIT;
            _windows := _windows + 1;
            IF _windows % 100 = 0 THEN
              _passes := 10;
              RAISE NOTICE 't.c: % rows filled', _filled;
            END IF;
            IF EXISTS (SELECT 1 FROM pg_stat_replication WHERE replay_lag > interval '30 s') THEN
              RAISE NOTICE 't.c: a replica lags, waiting for it';
              WHILE EXISTS (SELECT 1 FROM pg_stat_replication WHERE replay_lag > interval '5 s') LOOP
                COMMIT;
                PERFORM pg_sleep(1);
              END LOOP;
            END IF;
            IF _more THEN
              SELECT id INTO _low_1 FROM t WHERE (id) > (_high_1) ORDER BY id LIMIT 1;
              _more := FOUND;
            END IF;
          END LOOP;
          RAISE NOTICE 't.c: % rows filled, all done', _filled;
        END $lockkeeper$;
    "#]].assert_eq(&backfill(schema, 15).up());
}
