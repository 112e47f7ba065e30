//! Pre-flight queries on a live server: each counts the offenders exactly, the statement fails while there are any, and
//! succeeds when the query counts none.

use lockkeeper_core::catalog::Catalog;
use lockkeeper_core::check::{Part, check, replay};
use lockkeeper_core::dialect::{Dialect, Target, Version};
use lockkeeper_core::framework::Transaction;
use lockkeeper_core::text::Span;

use crate::cluster::cluster;

struct Case {
    rule: &'static str,
    /// The schema, as earlier migrations made it.
    schema: &'static str,
    /// Rows, with offenders.
    rows: &'static str,
    /// The statement that the query belongs to.
    sql: &'static str,
    /// How many offenders there are.
    count: &'static str,
    /// What takes the offenders away.
    mend: &'static str,
    /// What the statement does while they are there.
    then: Then,
}

#[derive(PartialEq)]
enum Then {
    Fails,
    /// It changes them without a word.
    Loses,
}

const CASES: &[Case] = &[
    Case {
        rule: "inline-unique-build",
        schema: "CREATE TABLE users (a int, \"B\" text)",
        rows: "INSERT INTO users VALUES (1, 'x'), (1, 'x'), (1, 'x'), (2, 'x'), (3, NULL), (3, NULL)",
        sql: "ALTER TABLE users ADD CONSTRAINT u UNIQUE (a, \"B\")",
        count: "2",
        mend: "DELETE FROM users one USING users other WHERE one.ctid > other.ctid AND one = other AND one.\"B\" = 'x'",
        then: Then::Fails,
    },
    Case {
        rule: "inline-unique-build",
        schema: "CREATE TABLE users (a int)",
        rows: "INSERT INTO users VALUES (1), (1), (NULL), (NULL), (2)",
        sql: "ALTER TABLE users ADD PRIMARY KEY (a)",
        count: "3",
        mend: "DELETE FROM users WHERE a = 1 OR a IS NULL",
        then: Then::Fails,
    },
    Case {
        rule: "blocking-index-build",
        schema: "CREATE TABLE users (a text, gone boolean)",
        rows: "INSERT INTO users VALUES ('x', false), ('X', false), ('x', true), (NULL, false), (NULL, false)",
        sql: "CREATE UNIQUE INDEX u ON users (lower(a) DESC) WHERE NOT gone",
        count: "1",
        mend: "DELETE FROM users WHERE a = 'X'",
        then: Then::Fails,
    },
    Case {
        rule: "not-null-scan",
        schema: "CREATE TABLE users (a int)",
        rows: "INSERT INTO users VALUES (1), (NULL), (NULL)",
        sql: "ALTER TABLE users ALTER COLUMN a SET NOT NULL",
        count: "2",
        mend: "UPDATE users SET a = 0 WHERE a IS NULL",
        then: Then::Fails,
    },
    Case {
        rule: "nullable-key-scan",
        schema: "CREATE TABLE users (a int, b int); CREATE UNIQUE INDEX u ON users (a, b)",
        rows: "INSERT INTO users VALUES (1, 1), (NULL, 1), (1, NULL), (NULL, NULL)",
        sql: "ALTER TABLE users ADD CONSTRAINT u PRIMARY KEY USING INDEX u",
        count: "3",
        mend: "DELETE FROM users WHERE a IS NULL OR b IS NULL",
        then: Then::Fails,
    },
    Case {
        rule: "validating-constraint",
        schema: "CREATE TABLE users (a int, b int)",
        rows: "INSERT INTO users VALUES (1, 2), (2, 1), (NULL, 1), (3, 3)",
        sql: "ALTER TABLE users ADD CONSTRAINT c CHECK (a < b OR b = 7)",
        count: "2",
        mend: "DELETE FROM users WHERE a >= b",
        then: Then::Fails,
    },
    Case {
        rule: "validating-constraint",
        schema: "CREATE TABLE users (id int PRIMARY KEY); CREATE TABLE orders (user_id int)",
        rows: "INSERT INTO users VALUES (1); INSERT INTO orders VALUES (1), (2), (2), (NULL)",
        sql: "ALTER TABLE orders ADD CONSTRAINT k FOREIGN KEY (user_id) REFERENCES users",
        count: "2",
        mend: "INSERT INTO users VALUES (2)",
        then: Then::Fails,
    },
    Case {
        rule: "validating-constraint",
        schema: "CREATE TABLE users (a int, b int, UNIQUE (a, b)); CREATE TABLE orders (a int, b int)",
        rows: "INSERT INTO users VALUES (1, 1); INSERT INTO orders VALUES (1, 1), (1, NULL), (NULL, NULL), (2, 2)",
        sql: "ALTER TABLE orders ADD CONSTRAINT k FOREIGN KEY (a, b) REFERENCES users (a, b) MATCH FULL",
        count: "2",
        mend: "DELETE FROM orders WHERE a = 2 OR a = 1 AND b IS NULL",
        then: Then::Fails,
    },
    Case {
        rule: "lossy-type-change",
        schema: "CREATE TABLE users (a bigint)",
        rows: "INSERT INTO users VALUES (2147483647), (2147483648), (-2147483649), (NULL)",
        sql: "ALTER TABLE users ALTER COLUMN a TYPE int",
        count: "2",
        mend: "DELETE FROM users WHERE abs(a) > 2147483647",
        then: Then::Fails,
    },
    Case {
        rule: "lossy-type-change",
        schema: "CREATE TABLE users (a text)",
        rows: "INSERT INTO users VALUES ('abc'), ('abcd'), ('abc  '), ('äöü'), ('ab cd')",
        sql: "ALTER TABLE users ALTER COLUMN a TYPE varchar(3)",
        count: "2",
        mend: "DELETE FROM users WHERE a LIKE '%d'",
        then: Then::Fails,
    },
    Case {
        rule: "lossy-type-change",
        schema: "CREATE TABLE users (a numeric(6, 1))",
        rows: "INSERT INTO users VALUES (99.9), (999.9), (12345.6)",
        sql: "ALTER TABLE users ALTER COLUMN a TYPE numeric(4, 1)",
        count: "1",
        mend: "DELETE FROM users WHERE a > 1000",
        then: Then::Fails,
    },
    Case {
        rule: "lossy-type-change",
        schema: "CREATE TABLE users (a numeric(6, 3))",
        rows: "INSERT INTO users VALUES (1.5), (1.234), (2.005)",
        sql: "ALTER TABLE users ALTER COLUMN a TYPE numeric(6, 2)",
        count: "2",
        mend: "UPDATE users SET a = round(a, 2)",
        then: Then::Loses,
    },
    Case {
        rule: "lossy-type-change",
        schema: "CREATE TABLE users (a timestamp)",
        rows: "INSERT INTO users VALUES ('2024-01-01'), ('2024-01-01 10:00')",
        sql: "ALTER TABLE users ALTER COLUMN a TYPE date",
        count: "1",
        mend: "UPDATE users SET a = date_trunc('day', a)",
        then: Then::Loses,
    },
    Case {
        rule: "lossy-type-change",
        schema: "CREATE TABLE users (a numeric)",
        rows: "INSERT INTO users VALUES (32767.4), (32767.5), ('NaN'), (-40000), (NULL), (7)",
        sql: "ALTER TABLE users ALTER COLUMN a TYPE smallint",
        count: "4",
        mend: "DELETE FROM users WHERE a NOT BETWEEN -32768 AND 32767 OR a <> 7",
        then: Then::Fails,
    },
    Case {
        rule: "lossy-type-change",
        schema: "CREATE TABLE users (a double precision)",
        rows: "INSERT INTO users VALUES (9223372036854775807), (-9223372036854775808), ('NaN'), ('-Infinity'), (7)",
        sql: "ALTER TABLE users ALTER COLUMN a TYPE bigint",
        count: "3",
        mend: "DELETE FROM users WHERE NOT (a < 9e18) OR a < -1e19",
        then: Then::Fails,
    },
    Case {
        rule: "lossy-type-change",
        schema: "CREATE TABLE users (a numeric(5, 2))",
        rows: "INSERT INTO users VALUES (99.9), ('NaN'), (100), (-999.99)",
        sql: "ALTER TABLE users ALTER COLUMN a TYPE numeric(5, 3)",
        count: "2",
        mend: "DELETE FROM users WHERE abs(a) >= 100 AND a <> 'NaN'",
        then: Then::Fails,
    },
    Case {
        rule: "lossy-type-change",
        schema: "CREATE TABLE users (a varchar(4))",
        rows: "INSERT INTO users VALUES ('x'), ('xy'), ('z   ')",
        sql: "ALTER TABLE users ALTER COLUMN a TYPE char",
        count: "1",
        mend: "DELETE FROM users WHERE a = 'xy'",
        then: Then::Fails,
    },
    Case {
        rule: "type-change-rewrite",
        schema: "CREATE TABLE users (a text)",
        rows: "INSERT INTO users VALUES (' 12 '), ('x'), (''), ('99999999999'), (NULL), ('-7')",
        sql: "ALTER TABLE users ALTER COLUMN a TYPE int USING a::int",
        count: "3",
        mend: "DELETE FROM users WHERE a IN ('x', '', '99999999999')",
        then: Then::Fails,
    },
    Case {
        rule: "type-change-rewrite",
        schema: "CREATE TYPE old AS ENUM ('new', 'paid', 'lost'); CREATE TYPE state AS ENUM ('new', 'paid');
                 CREATE TABLE orders (a old)",
        rows: "INSERT INTO orders VALUES ('new'), ('lost'), (NULL), ('lost')",
        sql: "ALTER TABLE orders ALTER COLUMN a TYPE state USING a::text::state",
        count: "2",
        mend: "UPDATE orders SET a = 'paid' WHERE a = 'lost'",
        then: Then::Fails,
    },
    Case {
        rule: "default-partition-scan",
        schema: "CREATE TABLE events (day date) PARTITION BY RANGE (day); CREATE TABLE events_else PARTITION OF events DEFAULT",
        rows: "INSERT INTO events VALUES ('2024-01-01'), ('2024-12-31'), ('2025-01-01'), (NULL)",
        sql: "CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
        count: "2",
        mend: "DELETE FROM events WHERE day < '2025-01-01'",
        then: Then::Fails,
    },
    Case {
        rule: "default-partition-scan",
        schema: "CREATE TABLE events (kind text) PARTITION BY LIST (kind); CREATE TABLE events_else PARTITION OF events DEFAULT",
        rows: "INSERT INTO events VALUES ('a'), ('b'), ('c'), (NULL)",
        sql: "CREATE TABLE events_ab PARTITION OF events FOR VALUES IN ('a', 'b')",
        count: "2",
        mend: "DELETE FROM events WHERE kind < 'c'",
        then: Then::Fails,
    },
    Case {
        rule: "attached-partition-scan",
        schema: "CREATE TABLE events (day date) PARTITION BY RANGE (day); CREATE TABLE events_2024 (day date)",
        rows: "INSERT INTO events_2024 VALUES ('2024-01-01'), ('2025-01-01'), ('2023-12-31'), (NULL)",
        sql: "ALTER TABLE events ATTACH PARTITION events_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
        count: "3",
        mend: "DELETE FROM events_2024 WHERE (day = '2024-01-01') IS NOT TRUE",
        then: Then::Fails,
    },
    Case {
        rule: "domain-constraint-scan",
        schema: "CREATE DOMAIN code AS text; CREATE TABLE one (a code, b code); CREATE TABLE two (c code)",
        rows: "INSERT INTO one VALUES ('ok', 'value'), ('toolong', NULL); INSERT INTO two VALUES ('VALUE!')",
        sql: "ALTER DOMAIN code ADD CONSTRAINT short CHECK (length(value) <= 5 AND VALUE <> 'value')",
        count: "3",
        mend: "TRUNCATE one, two",
        then: Then::Fails,
    },
    Case {
        rule: "exclusion-build",
        schema: "CREATE TABLE bookings (during int4range)",
        rows: "INSERT INTO bookings VALUES ('[1,5)'), ('[4,9)'), ('[9,12)'), ('[20,30)'), ('[25,26)')",
        sql: "ALTER TABLE bookings ADD CONSTRAINT e EXCLUDE USING gist (during WITH &&)",
        count: "4",
        mend: "DELETE FROM bookings WHERE during IN ('[4,9)', '[25,26)')",
        then: Then::Fails,
    },
    Case {
        rule: "required-column",
        schema: "CREATE TABLE users (a int)",
        rows: "INSERT INTO users VALUES (1), (2)",
        sql: "ALTER TABLE users ADD COLUMN b int NOT NULL",
        count: "2",
        mend: "TRUNCATE users",
        then: Then::Fails,
    },
];

/// Keys with periods, which 18 has.
const SINCE_18: &[Case] = &[
    Case {
        rule: "validating-constraint",
        schema: "CREATE TABLE stays (id int4range, d daterange, PRIMARY KEY (id, d WITHOUT OVERLAPS)); CREATE TABLE visits (stay int4range, d daterange)",
        rows: "INSERT INTO stays VALUES ('[1,2)', '[2024-01-01,2024-06-01)'), ('[1,2)', '[2024-06-01,2025-01-01)'); \
               INSERT INTO visits VALUES ('[1,2)', '[2024-02-01,2024-08-01)'), ('[1,2)', '[2024-11-01,2025-02-01)'), ('[9,10)', '[2024-02-01,2024-03-01)'), (NULL, '[2024-02-01,2024-03-01)')",
        sql: "ALTER TABLE visits ADD CONSTRAINT v FOREIGN KEY (stay, PERIOD d) REFERENCES stays (id, PERIOD d)",
        count: "2",
        mend: "DELETE FROM visits WHERE d @> '2025-01-15'::date OR stay = '[9,10)'",
        then: Then::Fails,
    },
    Case {
        rule: "inline-unique-build",
        schema: "CREATE TABLE visits (stay int4range, d daterange)",
        rows: "INSERT INTO visits VALUES ('[1,2)', '[2024-01-01,2024-06-01)'), ('[1,2)', '[2024-05-01,2024-07-01)'), ('[1,2)', '[2024-07-01,2024-08-01)'), ('[2,3)', '[2024-05-01,2024-07-01)')",
        sql: "ALTER TABLE visits ADD UNIQUE (stay, d WITHOUT OVERLAPS)",
        count: "2",
        mend: "DELETE FROM visits WHERE d @> '2024-01-15'::date",
        then: Then::Fails,
    },
];

fn query(case: &Case) -> String {
    let target = Target::postgres(Version::major(u16::try_from(cluster().version()).expect("is small")));
    let part = |text| Part { text, span: Span::new(0, str::len(text)), transaction: Transaction::Autocommit };
    let mut catalog = Catalog::empty(Dialect::Postgres);
    replay(part(case.schema), &target, &mut catalog);
    let hazards = check(part(case.sql), &target, &catalog).hazards;
    let hazard = hazards.iter().find(|it| it.rule == case.rule);
    let hazard = hazard.unwrap_or_else(|| panic!("{} does not find {}: {hazards:?}", case.rule, case.sql));
    hazard.preflight.clone().unwrap_or_else(|| panic!("{}: no query for {}", case.rule, case.sql))
}

#[test]
fn queries_count_what_the_server_refuses() {
    let newer = SINCE_18.iter().filter(|_| cluster().version() >= 18);
    for case in CASES.iter().chain(newer) {
        let query = query(case);
        let database = cluster().database();
        database.run(case.schema);
        database.run(case.rows);
        assert_eq!(database.value(&query), case.count, "{}: {}\n{query}", case.rule, case.sql);
        let mut client = database.connect();
        let mut transaction = client.transaction().expect("begins");
        let fails = transaction.batch_execute(case.sql).is_err();
        assert_eq!(fails, case.then == Then::Fails, "{}", case.sql);
        transaction.rollback().expect("is undone");
        database.run(case.mend);
        assert_eq!(database.value(&query), "0", "{}: {}\n{query}", case.rule, case.sql);
        database.run(case.sql);
    }
}
