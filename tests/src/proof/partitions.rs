//! Tables that are made again under their names, in partitions or otherwise, and one that is merged: fixtures of three recipes.

use lockkeeper_core::plan::Way;

use super::Fixture;
use super::awkward::PARTIES;

/// A serial key, a foreign key, names that need quotes, rows at the edges of their partitions, values that look like code.
const EVENTS: &str = r#"
CREATE TABLE kinds (id smallint PRIMARY KEY);
INSERT INTO kinds SELECT g FROM generate_series(1, 9) g;
CREATE TABLE "Events" (
    id bigserial PRIMARY KEY,
    "At" timestamp NOT NULL DEFAULT '2025-03-01',
    kind smallint REFERENCES kinds (id) ON DELETE SET NULL,
    amount numeric(10, 2) CHECK (amount > -1),
    payload json
);
CREATE INDEX "Events at" ON "Events" ("At");
CREATE INDEX ON "Events" (kind);
INSERT INTO "Events" ("At", kind, amount, payload)
    SELECT '2024-01-01'::timestamp + g * interval '9 hours', 1 + g % 9, CASE WHEN g % 5 = 0 THEN 'NaN' ELSE g / 7.0 END, '{"a":  1}'
    FROM generate_series(1, 1500) g;
INSERT INTO "Events" ("At", payload) VALUES ('2024-01-01', NULL), ('2025-01-01', '"it''s"'), ('2025-12-31 23:59:59.999999', '"$lockkeeper$"');
"#;

const USES_EVENTS: &[&str] = &[
    r#"INSERT INTO "Events" (kind, amount) VALUES (2, 7)"#,
    r#"INSERT INTO "Events" ("At", kind) VALUES ('2024-06-01', 3), ('2025-06-01', 4)"#,
    r#"UPDATE "Events" SET amount = 8, payload = '[]' WHERE id = 1 + (SELECT (random() * 500)::int)"#,
    r#"UPDATE "Events" SET "At" = "At" + interval '300 days' WHERE id = 600 + (SELECT (random() * 90)::int) AND "At" < '2024-12-01' AND pg_try_advisory_xact_lock(id)"#,
    r#"DELETE FROM "Events" WHERE id = 800 + (SELECT (random() * 300)::int)"#,
    r#"SELECT sum(amount) FROM "Events" WHERE "At" > '2025-01-01'"#,
];

const PARTITIONED: &str = r#"
CREATE TABLE "Events new" (
    id bigint NOT NULL DEFAULT nextval('"Events_id_seq"'),
    "At" timestamp NOT NULL DEFAULT '2025-03-01',
    kind smallint REFERENCES kinds (id) ON DELETE SET NULL,
    amount numeric(10, 2) CHECK (amount > -1),
    payload json,
    PRIMARY KEY (id, "At")
) PARTITION BY RANGE ("At");
CREATE TABLE "Events 2024" PARTITION OF "Events new" FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE events_2025 PARTITION OF "Events new" FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE INDEX ON "Events new" (kind);
INSERT INTO "Events new" SELECT * FROM "Events";
ALTER SEQUENCE "Events_id_seq" OWNED BY "Events new".id;
DROP TABLE "Events";
ALTER TABLE "Events new" RENAME TO "Events";
"#;

const PARTITIONED_ASIDE: &str = r#"
ALTER TABLE "Events" RENAME TO events_old;
CREATE TABLE "Events" (LIKE events_old INCLUDING DEFAULTS, PRIMARY KEY ("At", id), FOREIGN KEY (kind) REFERENCES kinds ON DELETE SET NULL)
    PARTITION BY RANGE ("At");
CREATE TABLE events_2024 PARTITION OF "Events" FOR VALUES FROM (MINVALUE) TO ('2025-01-01');
CREATE TABLE events_rest PARTITION OF "Events" DEFAULT;
CREATE INDEX events_kind ON "Events" (kind);
COMMENT ON COLUMN "Events".kind IS 'it''s a kind';
INSERT INTO "Events" (id, "At", kind, amount, payload) SELECT e.id, e."At", e.kind, amount, payload FROM events_old e;
"#;

/// A key of two columns, no sequence, a schema of its own; one table is unlogged.
const READINGS: &str = r#"
CREATE SCHEMA "Field";
CREATE TABLE "Field".readings (site text, number int, value int, note text NOT NULL DEFAULT 'it''s', PRIMARY KEY (site, number));
CREATE SEQUENCE more_readings START 100000;
INSERT INTO "Field".readings SELECT 'site ' || g % 7, g, CASE WHEN g % 3 = 0 THEN NULL ELSE g END, 'n' || g FROM generate_series(1, 1200) g;
"#;

const USES_READINGS: &[&str] = &[
    r#"INSERT INTO "Field".readings (site, number, value) SELECT 'site ' || n % 9, n, 7 FROM nextval('more_readings') n"#,
    r#"UPDATE "Field".readings SET value = value + 1, note = 'x' WHERE number = 1 + (SELECT (random() * 500)::int)"#,
    r#"DELETE FROM "Field".readings WHERE number = 600 + (SELECT (random() * 500)::int)"#,
    r#"SELECT max(value) FROM "Field".readings WHERE site = 'site 3'"#,
];

const LISTED: &str = r#"
ALTER TABLE "Field".readings RENAME TO before;
CREATE TABLE "Field".readings (site text NOT NULL, number int CHECK (number > -5), value int, note text NOT NULL DEFAULT 'it''s', PRIMARY KEY (site, number))
    PARTITION BY LIST (site);
CREATE TABLE "Field".some_readings PARTITION OF "Field".readings FOR VALUES IN ('site 0', 'site 1', 'site 2', 'site 3', 'site 4');
CREATE TABLE "Field".other_readings PARTITION OF "Field".readings FOR VALUES IN ('site 5', 'site 6', 'site 7', 'site 8');
INSERT INTO "Field".readings SELECT * FROM "Field".before;
DROP TABLE "Field".before;
"#;

const HASHED: &str = r#"
CREATE TABLE "Field".spread (LIKE "Field".readings INCLUDING ALL) PARTITION BY HASH (site);
CREATE TABLE "Field".spread_0 PARTITION OF "Field".spread FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE "Field".spread_1 PARTITION OF "Field".spread FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO "Field".spread SELECT * FROM "Field".readings;
ALTER TABLE "Field".readings RENAME TO before;
ALTER TABLE "Field".spread RENAME TO readings;
DROP TABLE "Field".before;
"#;

const REBUILT: &str = r#"
CREATE UNLOGGED TABLE "Field".narrow (number bigint, site varchar, note text NOT NULL DEFAULT 'it''s', value bigint, more text DEFAULT 'new',
    CONSTRAINT narrow_key PRIMARY KEY (number, site));
INSERT INTO "Field".narrow (site, number, value, note) SELECT site, number, value, note FROM "Field".readings;
DROP TABLE "Field".readings;
ALTER TABLE "Field".narrow RENAME TO readings;
"#;

const MERGED: &str = r#"
    INSERT INTO parties (kind, "E-Mail", called, level, data) SELECT 'it''s a customer', email, "Full Name", level, data FROM "Customers";
    DROP TABLE "Customers";"#;

/// No two releases change the same row: it would be locked from both sides, which the page tells the application to try again.
const USES_CUSTOMERS_AND_SUPPLIERS: &[&str] = &[
    r#"INSERT INTO "Customers" (email, "Full Name", level) VALUES (md5(random()::text || clock_timestamp()), 'old', 3)"#,
    r#"INSERT INTO "Customers" (email, "Full Name") VALUES ('c' || 1 + (SELECT (random() * 90)::int), 'again') ON CONFLICT (email) DO UPDATE SET level = NULL"#,
    r#"UPDATE "Customers" SET "Full Name" = 'was', data = '[]' WHERE id = 1 + (SELECT (random() * 300)::int)"#,
    r#"UPDATE "Customers" SET email = email || '!' WHERE id = 310 + (SELECT (random() * 50)::int)"#,
    r#"DELETE FROM "Customers" WHERE id = 370 + (SELECT (random() * 50)::int)"#,
    r#"UPDATE parties SET called = 'x' WHERE kind = 'supplier' AND "E-Mail" = 'c' || 500 + (SELECT (random() * 900)::int)"#,
    r#"DELETE FROM parties WHERE kind = 'supplier' AND "E-Mail" = 'c' || 600 + (SELECT (random() * 90)::int)"#,
    r#"SELECT count(*) FROM "Customers" WHERE level = 3"#,
];

const USES_PARTIES: &[&str] = &[
    r#"INSERT INTO parties (kind, "E-Mail", called) VALUES ('it''s a customer', md5(random()::text || clock_timestamp()), 'new')"#,
    r#"INSERT INTO parties ("E-Mail", called) VALUES (md5(random()::text || clock_timestamp()), 'supplies')"#,
    r#"UPDATE parties SET called = 'is', level = 7 WHERE kind = 'it''s a customer' AND "E-Mail" = 'c' || 700 + (SELECT (random() * 100)::int)"#,
    r#"UPDATE parties SET seen = NULL WHERE kind = 'it''s a customer' AND "E-Mail" = 'c' || 700 + (SELECT (random() * 100)::int)"#,
    r#"DELETE FROM parties WHERE kind = 'it''s a customer' AND "E-Mail" = 'c' || 900 + (SELECT (random() * 50)::int)"#,
    r#"SELECT count(*) FROM parties WHERE kind = 'it''s a customer' AND level = 3"#,
];

const USES_CUSTOMERS_IN_BOTH: &[&str] = &[
    r#"WITH c AS (INSERT INTO "Customers" (email, "Full Name") VALUES (md5(random()::text || clock_timestamp()), 'both') RETURNING email)
       INSERT INTO parties (kind, "E-Mail", called) SELECT 'it''s a customer', email, 'both' FROM c"#,
    r#"WITH c AS (UPDATE "Customers" SET level = 5 WHERE id = 500 + (SELECT (random() * 100)::int) RETURNING *)
       INSERT INTO parties (kind, "E-Mail", called, level, data) SELECT 'it''s a customer', email, "Full Name", level, data FROM c
       ON CONFLICT (kind, "E-Mail") DO UPDATE SET level = 5"#,
    r#"SELECT count(*) FROM "Customers" WHERE level = 3"#,
];

const USES_BOTH_PARTIES: &[&str] = &[
    r#"WITH c AS (UPDATE "Customers" SET level = 6 WHERE id = 500 + (SELECT (random() * 100)::int) RETURNING *)
       INSERT INTO parties (kind, "E-Mail", called, level, data) SELECT 'it''s a customer', email, "Full Name", level, data FROM c
       ON CONFLICT (kind, "E-Mail") DO UPDATE SET level = 6"#,
    r#"SELECT count(*) FROM parties WHERE kind = 'it''s a customer' AND level = 3"#,
];

const USES_CUSTOMERS_AND_PEOPLE: &[&str] = &[
    r#"WITH c AS (UPDATE "Customers" SET level = 6 WHERE id = 500 + (SELECT (random() * 100)::int) RETURNING *)
       INSERT INTO people (code, called, rank) SELECT email, "Full Name", level FROM c ON CONFLICT (code) DO UPDATE SET rank = 6"#,
    r#"SELECT count(*) FROM "Customers" WHERE level = 3"#,
];

const USES_PEOPLE: &[&str] = &[
    r#"UPDATE people SET rank = 7 WHERE code = 'c' || 700 + (SELECT (random() * 100)::int)"#,
    r#"SELECT count(*) FROM people WHERE rank = 3"#,
];

pub(super) const FIXTURES: &[Fixture] = &[
    Fixture {
        name: "partition a table by range, under another name first",
        schema: EVENTS,
        migration: PARTITIONED,
        recipe: Some("partition-table"),
        releases: &[USES_EVENTS],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "partition a table by range, and keep the old one",
        schema: EVENTS,
        migration: PARTITIONED_ASIDE,
        recipe: Some("partition-table"),
        releases: &[USES_EVENTS],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "partition a table by list, under its own name",
        schema: READINGS,
        migration: LISTED,
        recipe: Some("partition-table"),
        releases: &[USES_READINGS],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "partition a table by hash",
        schema: READINGS,
        migration: HASHED,
        recipe: Some("partition-table"),
        releases: &[USES_READINGS],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "rebuild a table with other types and another order, without partition",
        schema: READINGS,
        migration: REBUILT,
        recipe: Some("rebuild-table"),
        releases: &[USES_READINGS],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "merge the rows of a table into another",
        schema: PARTIES,
        migration: MERGED,
        recipe: Some("merge-rows"),
        touched: &["id", "seen", "Customers_id_seq"],
        restore: Some(r#"UPDATE "Customers" SET note = 'n'"#),
        releases: &[USES_CUSTOMERS_AND_SUPPLIERS, USES_PARTIES],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "merge the rows of a table into another",
        way: Way::Application,
        schema: PARTIES,
        migration: MERGED,
        recipe: Some("merge-rows"),
        since: 12,
        touched: &["id", "seen", "Customers_id_seq"],
        restore: Some(
            r#"INSERT INTO "gone_Customers" (id, email, "Full Name", level, data) SELECT row_number() OVER (), "E-Mail", called, level, data
                FROM parties WHERE kind = 'it''s a customer'; SELECT setval('"Customers_id_seq"', 1004)"#,
        ),
        releases: &[USES_CUSTOMERS_AND_SUPPLIERS, USES_CUSTOMERS_IN_BOTH, USES_BOTH_PARTIES, USES_PARTIES],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "merge a table of which nothing tells the rows, by a key alone",
        way: Way::Application,
        schema: PARTIES,
        migration: r#"INSERT INTO people (code, called, rank) SELECT email, "Full Name", level FROM "Customers"; DROP TABLE "Customers";"#,
        recipe: Some("merge-rows"),
        since: 12,
        touched: &["id", "Customers_id_seq"],
        restore: Some(
            r#"INSERT INTO "gone_Customers" (id, email, "Full Name", level, data) SELECT row_number() OVER (), code, called, rank, CASE WHEN code ~ '^c[0-9]+$' THEN CASE WHEN substr(code, 2)::int % 7 <> 0 THEN '{"a": 1}'::json END END
                FROM people WHERE kind IS NULL; SELECT setval('"Customers_id_seq"', 1004)"#,
        ),
        releases: &[
            USES_CUSTOMERS_AND_SUPPLIERS,
            USES_CUSTOMERS_AND_PEOPLE,
            USES_CUSTOMERS_AND_PEOPLE,
            USES_PEOPLE,
        ],
        ..Fixture::PLAIN
    },
];
