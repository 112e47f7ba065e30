//! What is proved: changes, and the statements of the releases around them.
//!
//! To add one: a schema of `awkward.rs` (or one more there), the change, the statements of the release before and of each release of the plan;
//! everything else from [`Fixture::PLAIN`].

mod constraints;
mod enums;
mod names;
mod several;
mod types;
mod whole;

use std::sync::LazyLock;

use super::Fixture;
use super::awkward::{
    EVENTS, LEDGER, LINES, METERS, NOTES, ORDERS, READINGS, REGIONS, TOTALS, USERS, VISITS,
};
use lockkeeper_core::plan::Way;

const WRITES_NAME: &[&str] = &[
    "INSERT INTO users (email, name) VALUES (md5(random()::text || clock_timestamp()), 'old')",
    "INSERT INTO users (email) VALUES (md5(random()::text || clock_timestamp()))",
    "UPDATE users SET name = 'was ' || id WHERE id = 1 + (SELECT (random() * 900)::int)",
    "UPDATE users SET name = 'was again' WHERE id = 950 AND name = 'both'",
    "UPDATE users SET nick = nick WHERE id = 1 + (SELECT (random() * 900)::int)",
    "SELECT id, name FROM users WHERE name = 'old' LIMIT 1",
    "SELECT id, name, loud FROM named_users LIMIT 1",
];

const WRITES_FULL_NAME: &[&str] = &[
    "INSERT INTO users (email, full_name) VALUES (md5(random()::text || clock_timestamp()), 'new')",
    "UPDATE users SET full_name = 'is ' || id WHERE id = 1 + (SELECT (random() * 900)::int)",
    "SELECT id, full_name FROM users WHERE full_name = 'new' LIMIT 1",
];

const WRITES_BOTH: &[&str] = &[
    "INSERT INTO users (email, name, full_name) VALUES (md5(random()::text || clock_timestamp()), 'both', 'both')",
    "UPDATE users SET name = 'both', full_name = 'both' WHERE id = 950 AND name <> 'was again'",
    "UPDATE users SET name = 'b', full_name = 'b' WHERE id = 1 + (SELECT (random() * 900)::int)",
    "SELECT id, name FROM users WHERE name = 'old' LIMIT 1",
];

pub(super) const USES_ORDERS: &[&str] = &[
    "INSERT INTO orders (id, customer_id, total, balance, code, note) SELECT n, 1, 7, -7, 'k' || n, 'x' FROM nextval('more_orders') n",
    "UPDATE orders SET total = total + 1 WHERE id = 1 + (SELECT (random() * 1900)::int)",
    "UPDATE orders SET balance = balance - 1, price = price + 1 WHERE id = 1 + (SELECT (random() * 1900)::int)",
    "SELECT sum(total) FROM orders WHERE customer_id = 5",
];

/// The new release writes what the old type could not hold.
const USES_LARGE_BALANCES: &[&str] = &[
    "UPDATE orders SET balance = 3000000000 WHERE id = 1 + (SELECT (random() * 1900)::int)",
    "UPDATE orders SET balance = NULL WHERE id = 1 + (SELECT (random() * 1900)::int)",
    "INSERT INTO orders (id, customer_id, balance, note) SELECT n, 1, -3000000000, 'x' FROM nextval('more_orders') n",
    "SELECT sum(balance) FROM orders WHERE customer_id = 5",
];

const USES_ORDERS_WITHOUT_NOTE: &[&str] = &[
    "INSERT INTO orders (id, customer_id, total, code) SELECT n, 1, 7, 'k' || n FROM nextval('more_orders') n",
    "UPDATE orders SET total = total + 1 WHERE id = 1 + (SELECT (random() * 1900)::int)",
];

const USES_LINES: &[&str] = &[
    r#"INSERT INTO "Back Office"."Order Lines" ("Order", low_1, "select", raw) VALUES (7, md5(random()::text || clock_timestamp()), 'x''', '12')"#,
    r#"UPDATE "Back Office"."Order Lines" SET "select" = 's' || passes WHERE passes = 1 + (SELECT (random() * 900)::int)"#,
    r#"UPDATE "Back Office"."Order Lines" SET "It's 100%" = 2.25 WHERE passes = 1 + (SELECT (random() * 900)::int)"#,
    r#"SELECT "select", raw FROM "Back Office"."Order Lines" WHERE "select" = 's1' LIMIT 1"#,
];

const USES_QUOTED_LINES: &[&str] = &[
    r#"INSERT INTO "Back Office"."Order Lines" ("Order", low_1, "User's ""Choice""") VALUES (7, md5(random()::text || clock_timestamp()), 'x''')"#,
    r#"UPDATE "Back Office"."Order Lines" SET "User's ""Choice""" = 'n' || passes WHERE passes = 1 + (SELECT (random() * 900)::int)"#,
];

/// Reads and writes a column that is text or a number, as releases that know both do.
const USES_RAW: &[&str] = &[
    r#"INSERT INTO "Back Office"."Order Lines" ("Order", low_1, raw) VALUES (8, md5(random()::text || clock_timestamp()), '34')"#,
    r#"UPDATE "Back Office"."Order Lines" SET raw = '77' WHERE passes = 1 + (SELECT (random() * 900)::int)"#,
    r#"SELECT raw FROM "Back Office"."Order Lines" WHERE passes = 5"#,
];

const USES_EVENTS: &[&str] = &[
    "INSERT INTO events (id, at) VALUES (nextval('more_events'), now())",
    "SELECT count(*) FROM events WHERE id < 10",
];

const WRITES_KIND: &[&str] = &[
    "INSERT INTO events (id, at, kind) VALUES (nextval('more_events'), now(), 'old')",
    "UPDATE events SET payload = 'longer than it was before, so that it moves' WHERE id = 1 + (SELECT (random() * 1900)::int)",
    "UPDATE events SET kind = 'was' WHERE id = 1 + (SELECT (random() * 1900)::int)",
];

const WRITES_CATEGORY: &[&str] = &[
    "INSERT INTO events (id, at, category) VALUES (nextval('more_events'), now(), 'new')",
    "UPDATE events SET category = 'is' WHERE id = 1 + (SELECT (random() * 1900)::int)",
];

pub(super) const USES_CUSTOMERS: &[&str] = &[
    "INSERT INTO customers (id) SELECT nextval('more_orders')",
    "UPDATE customers SET id = id WHERE id = 1 + (SELECT (random() * 90)::int)",
    "SELECT count(*) FROM customers",
];

pub(super) const USES_CLIENTS: &[&str] = &[
    "INSERT INTO clients (id) SELECT nextval('more_orders')",
    "UPDATE clients SET id = id WHERE id = 1 + (SELECT (random() * 90)::int)",
];

const USES_COUPONS: &[&str] = &[
    "UPDATE coupons SET code = 'x' WHERE id = 1 + (SELECT (random() * 90)::int)",
    "SELECT count(*) FROM coupons",
    "SELECT count(*) FROM customers",
];

const USES_VISITS: &[&str] = &[
    "INSERT INTO visits VALUES (1, '2025-03-01', 'p''')",
    "UPDATE visits SET page = 'q' WHERE id = 1 + (SELECT (random() * 400)::int) AND at >= '2025-01-01'",
    "SELECT count(*) FROM visits WHERE page = 'p1'",
];

const USES_MEMBERS: &[&str] = &[
    "INSERT INTO members (email, name) VALUES (md5(random()::text || clock_timestamp()), 'new') ON CONFLICT (email) DO UPDATE SET nick = '' RETURNING id",
    "UPDATE members SET name = 'is ' || id WHERE id = 1 + (SELECT (random() * 900)::int)",
    "SELECT m.name, i.name FROM members m LEFT JOIN members i ON i.id = m.invited_by WHERE m.id = 7",
];

const USES_USERS: &[&str] = &[
    "INSERT INTO users (email, name) VALUES (md5(random()::text || clock_timestamp()), 'old') ON CONFLICT (email) DO UPDATE SET nick = '' RETURNING id",
    "UPDATE users SET name = 'was ' || id WHERE id = 1 + (SELECT (random() * 900)::int)",
    "DELETE FROM users WHERE name = 'nobody at all'",
    "SELECT u.name, i.name FROM users u LEFT JOIN users i ON i.id = u.invited_by WHERE u.id = 7 FOR UPDATE OF u",
];

pub(super) const USES_NOTES: &[&str] = &[
    r#"UPDATE notes SET "Text" = 'u' || id WHERE id = 1 + (SELECT (random() * 290)::int)"#,
    "SELECT count(*) FROM notes n JOIN authors a ON a.id = n.author_id",
];

const USES_AUTHORS: &[&str] = &["SELECT count(*) FROM authors", "UPDATE authors SET id = id WHERE id = 5"];

const USES_BOTH_METERS: &[&str] = &[
    "INSERT INTO meters_2026 VALUES (6000, '2026-07-01', 'w')",
    "SELECT count(*) FROM meters_2026",
    "INSERT INTO meters VALUES (5000, '2025-07-01', 'w')",
    "SELECT count(*) FROM meters WHERE at < '2024-09-01'",
];

const USES_ZONES: &[&str] = &[
    "INSERT INTO zones VALUES (7, 'N')",
    r#"UPDATE zones SET id = id + 1 WHERE "Zone" = 'N' AND id = 8"#,
    r#"SELECT count(*) FROM zones WHERE "Zone" = 'N'"#,
];

const USES_REGIONS: &[&str] = &[
    "INSERT INTO regions (id, parent, name) SELECT n, 7, 'x' FROM nextval('more_regions') n",
    "UPDATE regions SET name = 'was ' || id, parent = 8 WHERE id = 1 + (SELECT (random() * 390)::int)",
    "DELETE FROM regions WHERE id = 501 + 3 * (SELECT (random() * 100)::int)",
    "INSERT INTO shops (region_id) SELECT id FROM regions WHERE id = 1 + (SELECT (random() * 390)::int)",
    r#"INSERT INTO "Region Notes" VALUES (4, 'y')"#,
    "SELECT count(*) FROM regions r JOIN shops s ON s.region_id = r.id WHERE r.id = 9",
    "INSERT INTO regions (id, name) VALUES (11, 'z') ON CONFLICT (id) DO UPDATE SET name = 'zz'",
];

/// The new release writes keys that the old type could not hold.
const USES_LARGE_REGIONS: &[&str] = &[
    "INSERT INTO regions (id, parent, name) VALUES (3000000000, 450, 'L') ON CONFLICT (id) DO UPDATE SET parent = 451",
    "UPDATE regions SET name = 'large' WHERE id = 3000000000",
    "INSERT INTO regions (id, parent, name) SELECT n, 7, 'x' FROM nextval('more_regions') n",
];

const USES_LEDGER: &[&str] = &[
    r#"INSERT INTO "Ledger" (amount) VALUES (1) RETURNING "Id""#,
    r#"UPDATE "Ledger" SET amount = amount + 1 WHERE "Id" = 1 + (SELECT (random() * 900)::int)"#,
    r#"INSERT INTO postings (entry) SELECT max("Id") FROM "Ledger""#,
];

const USES_TICKETS: &[&str] = &[
    "INSERT INTO tickets (title) VALUES ('it''s new') RETURNING id",
    "DELETE FROM tickets WHERE id = 700 + (SELECT (random() * 400)::int)",
];

const USES_OTHER_REGIONS: &[&str] = &[
    "INSERT INTO regions (id, parent, name) SELECT n, 7, 'x' FROM nextval('more_regions') n",
    "UPDATE regions SET parent = 8 WHERE id = 1 + 3 * (SELECT (random() * 100)::int)",
    r#"INSERT INTO "Region Notes" VALUES (4, 'y')"#,
    "SELECT count(*) FROM regions r JOIN shops s ON s.region_id = r.id WHERE r.id = 9",
];

const USES_READINGS: &[&str] = &[
    "INSERT INTO readings VALUES (1 + (SELECT (random() * 400)::int), '2024-07-01', 1), (NULL, '2031-07-01', 2)",
    "UPDATE readings SET meter = 1 + (SELECT (random() * 400)::int) WHERE meter = 7 + (SELECT (random() * 300)::int) AND at > '2025-01-01'",
    "DELETE FROM meters WHERE id = 500",
    "SELECT count(*) FROM meters m JOIN readings r ON r.meter = m.id WHERE m.id = 9",
];

const USES_OTHER_METERS: &[&str] = &[
    "INSERT INTO meters SELECT 6000 + random() * 1000000000, clock_timestamp(), 'w'",
    "SELECT count(*) FROM meters WHERE at < '2024-09-01'",
    "UPDATE meters SET kind = 'u' WHERE id = 1 + (SELECT (random() * 900)::int)",
];

const USES_TOTALS: &[&str] = &[
    r#"SELECT amount FROM "Totals" WHERE "Shop" = 7"#,
    "INSERT INTO sales SELECT nextval('more_sales'), 7, 1",
];

/// All fixtures.
pub(super) static FIXTURES: LazyLock<Vec<&'static Fixture>> = LazyLock::new(|| {
    [
        TABLES,
        types::FIXTURES,
        enums::FIXTURES,
        names::FIXTURES,
        several::FIXTURES,
        whole::FIXTURES,
        constraints::FIXTURES,
    ]
    .into_iter()
    .flatten()
    .collect()
});

const TABLES: &[Fixture] = &[
    Fixture {
        name: "rename a column",
        schema: USERS,
        migration: "ALTER TABLE users RENAME COLUMN name TO full_name;",
        releases: &[WRITES_NAME, WRITES_FULL_NAME],
        since: 12,
        touched: &["updated_at"],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "rename a column",
        way: Way::Application,
        schema: USERS,
        migration: "ALTER TABLE users RENAME COLUMN name TO full_name;",
        releases: &[WRITES_NAME, WRITES_BOTH, WRITES_BOTH, WRITES_FULL_NAME],
        since: 12,
        touched: &["updated_at"],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "rename a column, quoted names and a composite key",
        schema: LINES,
        migration: r#"ALTER TABLE "Back Office"."Order Lines" RENAME "select" TO "User's ""Choice""";"#,
        releases: &[USES_LINES, USES_QUOTED_LINES],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "rename a column of a table without a key",
        schema: EVENTS,
        migration: "ALTER TABLE events RENAME COLUMN kind TO category;",
        releases: &[WRITES_KIND, WRITES_CATEGORY],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "change a type, with an index and a check",
        schema: ORDERS,
        migration: "ALTER TABLE orders ALTER COLUMN total TYPE bigint;",
        releases: &[USES_ORDERS, USES_ORDERS],
        since: 12,
        ..Fixture::PLAIN
    },
    Fixture {
        name: "change a type, values beyond the old one",
        schema: ORDERS,
        migration: "ALTER TABLE orders ALTER COLUMN balance TYPE bigint;",
        releases: &[USES_ORDERS, USES_ORDERS, USES_LARGE_BALANCES],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "change a type, numeric with NaN",
        schema: ORDERS,
        migration: "ALTER TABLE orders ALTER COLUMN price TYPE numeric(14, 4);",
        releases: &[USES_ORDERS, USES_ORDERS],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "change a type by an expression that loses values",
        schema: LINES,
        migration: r#"ALTER TABLE "Back Office"."Order Lines" ALTER COLUMN raw TYPE int USING nullif(raw, '')::int;
            -- lockkeeper: back UPDATE "Back Office"."Order Lines" SET raw = raw::text"#,
        restore: Some(
            r#"UPDATE "Back Office"."Order Lines" SET raw_old = '' WHERE raw_old IS NULL AND passes % 10 = 0 AND passes > 0"#,
        ),
        releases: &[USES_RAW, USES_RAW],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "set NOT NULL",
        schema: ORDERS,
        migration: "ALTER TABLE orders ALTER COLUMN customer_id SET NOT NULL;",
        releases: &[USES_ORDERS, USES_ORDERS],
        since: 12,
        ..Fixture::PLAIN
    },
    Fixture {
        name: "add a foreign key",
        schema: ORDERS,
        migration: "ALTER TABLE orders ADD CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES customers (id);",
        releases: &[USES_ORDERS],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "add a unique constraint",
        schema: ORDERS,
        migration: "ALTER TABLE orders ADD UNIQUE (code);",
        releases: &[USES_ORDERS],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "add a primary key",
        schema: EVENTS,
        migration: "ALTER TABLE events ADD PRIMARY KEY (id);",
        releases: &[USES_EVENTS],
        since: 12,
        ..Fixture::PLAIN
    },
    Fixture {
        name: "build an index",
        schema: ORDERS,
        migration: "CREATE INDEX orders_code ON orders (lower(code)) WHERE total > 5;",
        releases: &[USES_ORDERS],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "drop an index",
        schema: ORDERS,
        migration: "DROP INDEX orders_total;",
        releases: &[USES_ORDERS],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "drop a column",
        schema: ORDERS,
        migration: "ALTER TABLE orders DROP COLUMN note;",
        restore: Some("UPDATE orders SET note = 'n' || id WHERE note IS NULL"),
        releases: &[USES_ORDERS, USES_ORDERS_WITHOUT_NOTE],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "add a check",
        schema: ORDERS,
        migration: "ALTER TABLE orders ADD CONSTRAINT orders_code CHECK (code <> 'x' OR balance > 0);",
        releases: &[USES_ORDERS, USES_ORDERS],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "rename a table",
        way: Way::View,
        schema: ORDERS,
        migration: "ALTER TABLE customers RENAME TO clients;",
        releases: &[USES_CUSTOMERS, USES_CLIENTS],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "drop a table",
        schema: ORDERS,
        migration: "DROP TABLE coupons;",
        restore: Some(
            "INSERT INTO gone_coupons SELECT g, 1 + g % 100, 'o''' || g FROM generate_series(1, 100) g;",
        ),
        releases: &[USES_COUPONS, &["SELECT count(*) FROM customers"]],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "add a column with a default that differs from row to row",
        schema: ORDERS,
        migration: "ALTER TABLE orders ADD COLUMN drawn double precision NOT NULL DEFAULT random() CHECK (drawn >= 0);",
        releases: &[USES_ORDERS],
        since: 12,
        touched: &["drawn"],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "add a serial column",
        schema: ORDERS,
        migration: "ALTER TABLE orders ADD COLUMN number serial;",
        releases: &[USES_ORDERS],
        since: 12,
        touched: &["number", "orders_number_seq"],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "change two tables",
        schema: ORDERS,
        migration: "BEGIN; ALTER TABLE orders ADD COLUMN extra int; ALTER TABLE customers ADD COLUMN extra int; COMMIT;",
        releases: &[USES_ORDERS],
        recipe: Some("own-transaction"),
        ..Fixture::PLAIN
    },
    Fixture {
        name: "replace an index by one of its name",
        schema: ORDERS,
        migration: "DROP INDEX orders_total; CREATE INDEX orders_total ON orders (total DESC, id) WHERE total > 5;",
        releases: &[USES_ORDERS],
        recipe: Some("replace-index"),
        ..Fixture::PLAIN
    },
    Fixture {
        name: "replace an index by one of another name",
        schema: ORDERS,
        migration: "DROP INDEX orders_total; CREATE INDEX \"By Total\" ON orders (total);",
        releases: &[USES_ORDERS],
        recipe: Some("replace-index"),
        ..Fixture::PLAIN
    },
    Fixture {
        name: "build an index anew",
        schema: ORDERS,
        migration: "REINDEX INDEX orders_customer_note;",
        releases: &[USES_ORDERS],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "build all indexes of a table anew",
        schema: ORDERS,
        migration: "REINDEX TABLE orders;",
        releases: &[USES_ORDERS],
        since: 12,
        ..Fixture::PLAIN
    },
    Fixture {
        name: "build an index on a partitioned table",
        schema: VISITS,
        migration: "CREATE INDEX visits_page ON visits (page);",
        leaps: true,
        releases: &[USES_VISITS],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "attach a partition",
        schema: VISITS,
        migration: "ALTER TABLE visits ATTACH PARTITION visits_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');",
        releases: &[USES_VISITS],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "detach a partition",
        schema: METERS,
        migration: "ALTER TABLE zones DETACH PARTITION zones_south;",
        releases: &[USES_ZONES],
        since: 14,
        ..Fixture::PLAIN
    },
    Fixture {
        name: "add two checks, one without a name",
        schema: ORDERS,
        migration: r#"ALTER TABLE orders ADD CHECK (price IS NULL OR price > -1), ADD CONSTRAINT "id or total" CHECK (id <> total::bigint + 1000000);"#,
        releases: &[USES_ORDERS, USES_ORDERS, USES_ORDERS],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "rename a table that points at itself",
        way: Way::View,
        schema: USERS,
        migration: "ALTER TABLE users RENAME TO members;",
        releases: &[USES_USERS, USES_MEMBERS],
        touched: &["updated_at"],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "drop a table with a check, a default and indexes",
        schema: NOTES,
        migration: "DROP TABLE notes;",
        restore: Some(
            "INSERT INTO gone_notes SELECT g, 1 + g % 50, 'n' || g, '2025-01-01' FROM generate_series(1, 300) g",
        ),
        releases: &[USES_NOTES, USES_AUTHORS],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "add a required unique column with a default that differs",
        schema: ORDERS,
        migration: "ALTER TABLE orders ADD COLUMN token text NOT NULL DEFAULT md5(random()::text || clock_timestamp()) UNIQUE;",
        releases: &[USES_ORDERS],
        since: 12,
        touched: &["token"],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "add an identity to a table without a key",
        schema: EVENTS,
        migration: "ALTER TABLE events ADD COLUMN number int GENERATED ALWAYS AS IDENTITY;",
        releases: &[WRITES_KIND],
        since: 12,
        touched: &["number", "events_number_seq"],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "attach a partition beside a default one",
        schema: METERS,
        migration: "ALTER TABLE meters ATTACH PARTITION meters_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');",
        releases: &[USES_BOTH_METERS],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "rewrite two tables",
        schema: NOTES,
        migration: "VACUUM FULL notes, authors;",
        since: u32::MAX,
        ..Fixture::PLAIN
    },
    Fixture {
        name: "rewrite a table, with statements that leave the transaction",
        schema: NOTES,
        migration: "SET lock_timeout = 0; ALTER TABLE notes ADD COLUMN extra int; VACUUM FULL notes, authors; CREATE INDEX CONCURRENTLY ON notes (extra);",
        recipe: Some("window-only"),
        since: u32::MAX,
        ..Fixture::PLAIN
    },
    Fixture {
        name: "widen a key that foreign keys point at, one of its own table",
        schema: REGIONS,
        migration: "ALTER TABLE regions ALTER COLUMN id TYPE bigint;",
        releases: &[USES_REGIONS, USES_REGIONS, USES_LARGE_REGIONS],
        since: 12,
        ..Fixture::PLAIN
    },
    Fixture {
        name: "widen a key that is an identity",
        schema: LEDGER,
        migration: r#"ALTER TABLE "Ledger" ALTER "Id" TYPE int8 USING "Id"::bigint;"#,
        releases: &[USES_LEDGER, USES_LEDGER],
        since: 12,
        ..Fixture::PLAIN
    },
    Fixture {
        name: "widen a serial key",
        schema: LEDGER,
        migration: "ALTER TABLE tickets ALTER COLUMN id SET DATA TYPE bigint;",
        direct: Some(
            "ALTER TABLE tickets ALTER COLUMN id TYPE bigint; ALTER SEQUENCE tickets_id_seq AS bigint;",
        ),
        releases: &[USES_TICKETS, USES_TICKETS],
        since: 12,
        ..Fixture::PLAIN
    },
    Fixture {
        name: "change many rows",
        schema: ORDERS,
        migration: "UPDATE orders SET note = coalesce(code, 'it''s none'), price = total / 3.0 WHERE note LIKE 'n%' AND total < 1000000;",
        restore: Some(
            "UPDATE orders SET note = 'n' || id, price = CASE id WHEN 3002 THEN 99999999.99 WHEN -9223372036854775808 THEN -0.01
               WHEN 9223372036854775807 THEN 0 ELSE id / 7.0 END
             WHERE id BETWEEN 1 AND 2000 OR id IN (3002, -9223372036854775808, 9223372036854775807)",
        ),
        releases: &[USES_ORDERS],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "delete many rows that others point at",
        schema: REGIONS,
        migration: r#"DELETE FROM regions WHERE name LIKE 'r''%' AND NOT EXISTS (SELECT FROM "Region Notes" n WHERE n."Region" = regions.id);"#,
        restore: Some(
            "INSERT INTO regions SELECT g, nullif(g / 10, 0), 'r' || chr(39) || g FROM generate_series(3, 999, 3) g;
             UPDATE regions SET parent = id / 10 WHERE id BETWEEN 10 AND 1000;
             INSERT INTO shops SELECT 1 + g % 900 FROM generate_series(1, 1000) g WHERE (1 + g % 900) % 3 = 0;",
        ),
        releases: &[USES_OTHER_REGIONS],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "add a foreign key to a partitioned table",
        schema: READINGS,
        migration: "ALTER TABLE readings ADD CONSTRAINT of_meter FOREIGN KEY (meter) REFERENCES meters (id) ON DELETE SET NULL;",
        releases: &[USES_READINGS],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "add a unique constraint to a partitioned table",
        schema: METERS,
        migration: "ALTER TABLE meters ADD UNIQUE (id, at);",
        releases: &[USES_OTHER_METERS],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "add a primary key to a partitioned table",
        schema: READINGS,
        migration: "ALTER TABLE numbered ADD CONSTRAINT numbered_key PRIMARY KEY (id, at);",
        releases: &[&["INSERT INTO numbered SELECT nextval('more_numbers'), '2024-07-01'", "SELECT count(*) FROM numbered WHERE id = 7"]],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "refresh a materialized view",
        schema: TOTALS,
        migration: r#"REFRESH MATERIALIZED VIEW "Totals";"#,
        restore: Some(
            r#"DELETE FROM sales WHERE id BETWEEN 2001 AND 2100; REFRESH MATERIALIZED VIEW "Totals";
               INSERT INTO sales SELECT g, g % 60, 'NaN' FROM generate_series(2001, 2100) g;"#,
        ),
        releases: &[USES_TOTALS],
        ..Fixture::PLAIN
    },
];
