//! Tables that are swapped for changed copies: fixtures of one recipe.

use super::Fixture;
use super::awkward::{BOOKINGS, ITEMS, NOTES, ORDERS, SUMS};
use super::fixtures::{USES_CLIENTS, USES_CUSTOMERS, USES_NOTES, USES_ORDERS};

const USES_LOOSE: &[&str] = &[
    r#"INSERT INTO "Stock".loose (a, b, note) VALUES (md5(random()::text || clock_timestamp()), 7, NULL)"#,
    r#"UPDATE "Stock".loose SET note = NULL, up = a, up_b = b WHERE b = 1 + (SELECT (random() * 690)::int)"#,
    r#"UPDATE "Stock".loose SET b = b + 1000000 WHERE b = 701 + (SELECT (random() * 90)::int)"#,
    r#"DELETE FROM "Stock".loose WHERE b = 1000000 + 701 + (SELECT (random() * 90)::int)"#,
    r#"SELECT count(*) FROM "Stock".loose WHERE b = 7"#,
];

const USES_ITEMS: &[&str] = &[
    r#"INSERT INTO "Stock"."Items" (price, kind) VALUES (7, 3)"#,
    r#"INSERT INTO "Stock"."Items" (price, kind) VALUES (7, 3), (NULL, 4) ON CONFLICT (number) DO UPDATE SET amount = 8"#,
    r#"UPDATE "Stock"."Items" SET price = 8, amount = amount + 1 WHERE number = 1 + (SELECT (random() * 900)::int)"#,
    r#"DELETE FROM "Stock"."Items" WHERE number = 100 + (SELECT (random() * 500)::int)"#,
    r#"SELECT sum(amount) FROM "Stock"."Items" WHERE kind = 3"#,
];

/// No two releases change the same row: it would be locked from both sides, which the page tells the application to try again.
const USES_ITEMS_OF_THE_FIRST_HALF: &[&str] = &[
    r#"INSERT INTO "Stock"."Items" (price, kind) VALUES (7, 3), (NULL, 4) ON CONFLICT (number) DO UPDATE SET amount = 8"#,
    r#"UPDATE "Stock"."Items" SET price = 8, amount = amount + 1, data = '<a/>' WHERE number = 1 + (SELECT (random() * 300)::int)"#,
    r#"UPDATE "Stock"."Items" SET number = number + 1000000 WHERE number = 310 + (SELECT (random() * 50)::int)"#,
    r#"DELETE FROM "Stock"."Items" WHERE number = 370 + (SELECT (random() * 50)::int)"#,
    r#"SELECT sum(amount) FROM "Stock"."Items" WHERE kind = 3"#,
];

const USES_ITS_OF_THE_SECOND_HALF: &[&str] = &[
    r#"INSERT INTO "Stock"."It's" (price, kind) VALUES (8, 5)"#,
    r#"UPDATE "Stock"."It's" SET price = NULL, amount = amount + 1, data = '<b/>' WHERE number = 500 + (SELECT (random() * 300)::int)"#,
    r#"UPDATE "Stock"."It's" SET number = number + 2000000 WHERE number = 810 + (SELECT (random() * 50)::int)"#,
    r#"DELETE FROM "Stock"."It's" WHERE number = 870 + (SELECT (random() * 50)::int)"#,
    r#"SELECT sum(amount) FROM "Stock"."It's" WHERE kind = 3"#,
];

const USES_PUBLIC_ITEMS_OF_THE_SECOND_HALF: &[&str] = &[
    r#"INSERT INTO "Items" (price, kind) VALUES (8, 5)"#,
    r#"UPDATE "Items" SET price = NULL, amount = amount + 1 WHERE number = 500 + (SELECT (random() * 300)::int)"#,
    r#"DELETE FROM "Items" WHERE number = 870 + (SELECT (random() * 50)::int)"#,
    r#"SELECT sum(amount) FROM "Items" WHERE kind = 3"#,
];

const USES_BOOKINGS: &[&str] = &[
    r#"INSERT INTO "Bookings" (during, room) SELECT int4range(n::int, n::int + 1), 3 FROM nextval('days') n"#,
    r#"WITH made AS (INSERT INTO "Bookings" (during, room) SELECT int4range(n::int, n::int + 1), 4 FROM nextval('days') n RETURNING "Id")
       INSERT INTO guests SELECT "Id", 'new' FROM made"#,
    r#"UPDATE "Bookings" SET room = 1 + (SELECT (random() * 18)::int) WHERE "Id" = 10 + 2 * (SELECT (random() * 200)::int)"#,
    r#"UPDATE "Bookings" SET extra = '{}', "It's by" = NULL WHERE "Id" = 10 + 2 * (SELECT (random() * 200)::int)"#,
    r#"DELETE FROM "Bookings" WHERE "Id" = 10 + 2 * (SELECT (random() * 400)::int) AND NOT EXISTS (SELECT FROM bills WHERE "Booking" = "Id")"#,
    r#"SELECT count(*) FROM "Bookings" b JOIN guests g ON g.booking = b."Id" WHERE room = 3"#,
];

const USES_SUMS: &[&str] = &[
    "INSERT INTO sums (id, a, b) SELECT n, 1, 2 FROM nextval('more_sums') n",
    "UPDATE sums SET a = a + 1 WHERE id = 1 + (SELECT (random() * 500)::int)",
    "SELECT max(sum) FROM sums WHERE id < 10",
];

pub(super) const FIXTURES: &[Fixture] = &[
    Fixture {
        name: "add an exclusion constraint",
        schema: ORDERS,
        migration: "ALTER TABLE orders ADD EXCLUDE USING btree (code WITH =);",
        releases: &[USES_ORDERS],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "swap a table for an unlogged one",
        schema: NOTES,
        migration: "ALTER TABLE notes SET UNLOGGED;",
        releases: &[USES_NOTES],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "swap a table for one in another tablespace",
        schema: NOTES,
        migration: "ALTER TABLE notes SET TABLESPACE spare;",
        releases: &[USES_NOTES],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "swap a table for one of another access method",
        schema: NOTES,
        migration: "ALTER TABLE notes SET ACCESS METHOD heap2;",
        releases: &[USES_NOTES],
        since: 15,
        ..Fixture::PLAIN
    },
    Fixture {
        name: "swap a table for a logged one, with a composite key",
        schema: ITEMS,
        migration: r#"ALTER TABLE "Stock".loose SET LOGGED;"#,
        releases: &[USES_LOOSE],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "swap a table for a compact one",
        schema: NOTES,
        migration: "VACUUM FULL notes;",
        releases: &[USES_NOTES],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "rewrite a table without blocking its users",
        schema: NOTES,
        migration: "REPACK notes;",
        releases: &[USES_NOTES],
        since: 19,
        recipe: Some("repack-table"),
        ..Fixture::PLAIN
    },
    Fixture {
        name: "swap a table for one in the order of an index",
        schema: ORDERS,
        migration: "CLUSTER orders USING orders_total;",
        releases: &[USES_ORDERS],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "swap a table for one with an exclusion constraint, an identity and keys to and from it",
        schema: BOOKINGS,
        migration: r#"ALTER TABLE "Bookings" ADD CONSTRAINT "one at a time" EXCLUDE USING gist (during WITH &&);"#,
        releases: &[USES_BOOKINGS],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "swap a table for one with a stored column, beside a serial key",
        schema: ITEMS,
        migration: r#"ALTER TABLE "Stock"."Items" ADD COLUMN total numeric GENERATED ALWAYS AS (coalesce(price, 0) * amount) STORED NOT NULL CHECK (total > -1);"#,
        releases: &[USES_ITEMS],
        since: 12,
        ..Fixture::PLAIN
    },
    Fixture {
        name: "swap a table for one with another expression of a stored column",
        schema: SUMS,
        migration: "ALTER TABLE sums ALTER COLUMN sum SET EXPRESSION AS (a + b * 2);",
        releases: &[USES_SUMS],
        since: 17,
        ..Fixture::PLAIN
    },
    Fixture {
        name: "rename a table by a second one",
        schema: ITEMS,
        migration: r#"ALTER TABLE "Stock"."Items" RENAME TO "It's";"#,
        releases: &[USES_ITEMS_OF_THE_FIRST_HALF, USES_ITS_OF_THE_SECOND_HALF],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "rename a table by a second one, with a key to it",
        schema: ORDERS,
        migration: "ALTER TABLE customers RENAME TO clients;",
        releases: &[USES_CUSTOMERS, USES_CLIENTS],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "move a table to another schema by a second one",
        schema: ITEMS,
        migration: r#"ALTER TABLE "Stock"."Items" SET SCHEMA public;"#,
        releases: &[USES_ITEMS_OF_THE_FIRST_HALF, USES_PUBLIC_ITEMS_OF_THE_SECOND_HALF],
        ..Fixture::PLAIN
    },
];
