//! Schemas with rows that are awkward: NULLs, quotes, backslashes, values at the ends of their types, names that need quotes, a trigger of the
//! user, a table that points at itself, a partitioned table beside.

/// A trigger of the user, a self-reference, a view, indexes over expressions, a partitioned table that points here.
pub(super) const USERS: &str = r#"
CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL UNIQUE,
    name text NOT NULL DEFAULT 'nobody' CHECK (name <> ''),
    nick varchar(40),
    invited_by bigint REFERENCES users (id),
    more int,
    updated_at timestamptz
);
CREATE INDEX users_name ON users (name);
CREATE INDEX users_email_name ON users (email, lower(name)) WHERE name <> 'gone';
CREATE UNIQUE INDEX users_nick_name ON users (nick, name);
CREATE VIEW named_users AS SELECT u.id, u.name, upper(u.name) AS loud FROM users u WHERE u.name <> 'x';
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$;
CREATE TRIGGER users_touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TABLE logins (user_id bigint REFERENCES users (id), name text, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE logins_2025 PARTITION OF logins FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
INSERT INTO users (email, name, nick, invited_by)
    SELECT 'e' || g, 'O''Neill "' || g, 'n' || g, nullif(g / 2, 0) FROM generate_series(1, 1000) g;
INSERT INTO users (email, name, nick) VALUES
    ('a', ' ', NULL), ('b', E'\\', NULL), ('c', E'back\\slash''s', ''), ('d', '%s $1 {} NULL', '$$'), ('f', E'two\nlines\t', 'ünï'),
    ('g', 'nobody', NULL), ('h', 'nobody', NULL), ('i', repeat('long ', 400), NULL), ('j', '$lockkeeper$', '''');
INSERT INTO logins SELECT g, 'n', '2025-02-01' FROM generate_series(1, 100) g;
"#;

/// A column with a check, a default and indexes, integers at both ends, duplicates, NULLs.
pub(super) const ORDERS: &str = r#"
CREATE TABLE customers (id int PRIMARY KEY);
INSERT INTO customers SELECT g FROM generate_series(1, 100) g;
CREATE TABLE orders (
    id bigint PRIMARY KEY,
    customer_id int,
    total int NOT NULL DEFAULT 0 CHECK (total >= 0),
    balance int,
    price numeric(10, 2),
    code text,
    note text NOT NULL
);
CREATE INDEX orders_total ON orders (total DESC);
CREATE INDEX orders_customer_note ON orders (customer_id, note);
CREATE SEQUENCE more_orders START 100000;
CREATE TABLE coupons (id int PRIMARY KEY, customer_id int REFERENCES customers (id), code text);
INSERT INTO coupons SELECT g, 1 + g % 100, 'o''' || g FROM generate_series(1, 100) g;
INSERT INTO orders SELECT g, 1 + g % 100, g, -g, g / 7.0, 'c' || g, 'n' || g FROM generate_series(1, 2000) g;
INSERT INTO orders VALUES
    (3001, 1, 2147483647, 2147483647, 'NaN', NULL, 'n3001'), (3002, 1, 0, -2147483648, 99999999.99, NULL, 'n3002'),
    (3003, 2, 2147483647, NULL, NULL, '', 'n3003'), (-9223372036854775808, 2, 1, 0, -0.01, E'\\''"', 'n-9223372036854775808'),
    (9223372036854775807, 3, 1, 0, 0, ' ', 'n9223372036854775807');
"#;

/// Names that need quotes, a schema of its own, a composite key, columns that sound like variables, text that is cast.
pub(super) const LINES: &str = r#"
CREATE SCHEMA "Back Office";
CREATE TABLE "Back Office"."Order Lines" (
    "Order" int NOT NULL,
    low_1 text NOT NULL,
    "select" varchar(20),
    "It's 100%" numeric(8, 2) DEFAULT 1.5,
    raw text,
    passes int,
    PRIMARY KEY ("Order", low_1)
);
CREATE INDEX "Lines by ""select""" ON "Back Office"."Order Lines" ("select", passes);
INSERT INTO "Back Office"."Order Lines"
    SELECT g / 3, 'p"' || g % 3, CASE WHEN g % 5 = 0 THEN NULL ELSE 's' || g % 7 END, g / 3.0,
           CASE WHEN g % 10 = 0 THEN '' WHEN g % 9 = 0 THEN NULL ELSE g::text END, g
    FROM generate_series(1, 1000) g;
INSERT INTO "Back Office"."Order Lines" VALUES
    (-2147483648, '', '', 'NaN', '2147483647', NULL), (2147483647, E'\\', E'\'$$', -999999.99, '-2147483648', 0);
"#;

/// A table without a key.
pub(super) const EVENTS: &str = r#"
CREATE TABLE events (id bigint, at timestamptz, kind text, payload text);
INSERT INTO events SELECT g, '2025-01-01 00:00+00', CASE WHEN g % 4 = 0 THEN NULL ELSE 'k''' || g % 3 END, repeat('x', (g % 50)::int)
    FROM generate_series(1, 2000) g;
CREATE SEQUENCE more_events START 100000;
"#;

/// Partitions, and a table that may become one.
pub(super) const VISITS: &str = r#"
CREATE TABLE visits (id int NOT NULL, at date NOT NULL, page text) PARTITION BY RANGE (at);
CREATE TABLE visits_2024 PARTITION OF visits FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE visits_2025 PARTITION OF visits FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE visits_2026 (id int NOT NULL, at date NOT NULL, page text);
INSERT INTO visits SELECT g, date '2024-01-01' + g, CASE WHEN g % 9 = 0 THEN NULL ELSE 'p' || g % 5 END FROM generate_series(0, 700) g;
INSERT INTO visits_2026 SELECT g, date '2026-01-01' + g, E'\\''' FROM generate_series(0, 300) g;
"#;

/// A table without triggers or sequences that others point at, and one that points elsewhere.
pub(super) const NOTES: &str = r#"
CREATE TABLE authors (id int PRIMARY KEY);
INSERT INTO authors SELECT g FROM generate_series(1, 50) g;
CREATE TABLE notes (
    id int PRIMARY KEY,
    author_id int REFERENCES authors (id) ON DELETE CASCADE,
    "Text" varchar(50) DEFAULT 'it''s' CHECK ("Text" <> ''),
    at date NOT NULL
);
CREATE INDEX notes_at ON notes (at DESC) WHERE at > '2020-01-01';
INSERT INTO notes SELECT g, 1 + g % 50, 'n' || g, '2025-01-01' FROM generate_series(1, 300) g;
"#;

/// Partitioned by range and by list, one with a default partition, and tables that are to come in.
pub(super) const METERS: &str = r#"
CREATE TABLE meters (id bigint, at timestamptz, kind text) PARTITION BY RANGE (at);
CREATE TABLE meters_2024 PARTITION OF meters FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE meters_2025 PARTITION OF meters FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE meters_rest PARTITION OF meters DEFAULT;
CREATE TABLE meters_2026 (id bigint, at timestamptz, kind text);
CREATE TABLE zones (id int NOT NULL, "Zone" text) PARTITION BY LIST ("Zone");
CREATE TABLE zones_north PARTITION OF zones FOR VALUES IN ('N', 'it''s');
CREATE TABLE zones_south PARTITION OF zones FOR VALUES IN ('S');
INSERT INTO meters SELECT g, '2024-06-01'::timestamptz + g % 500 * interval '1 day', CASE WHEN g % 3 = 0 THEN NULL ELSE 'k' END
    FROM generate_series(1, 1000) g;
INSERT INTO meters VALUES (0, NULL, NULL), (-1, 'infinity', ''), (-2, '-infinity', NULL);
DELETE FROM meters WHERE at >= '2026-01-01' AND at < '2027-01-01';
INSERT INTO meters_2026 SELECT g, '2026-02-01', 'new' FROM generate_series(1, 200) g;
INSERT INTO zones SELECT g, CASE WHEN g % 2 = 0 THEN 'N' ELSE 'S' END FROM generate_series(1, 400) g;
"#;

/// A key without a sequence that three foreign keys point at: one cascades, one is its own table's and deferred, one was never checked.
pub(super) const REGIONS: &str = r#"
CREATE TABLE regions (
    id int PRIMARY KEY CHECK (id <> 0),
    parent int CONSTRAINT up REFERENCES regions ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED,
    name text NOT NULL
);
CREATE INDEX regions_name_id ON regions (name, id DESC);
CREATE INDEX regions_parent ON regions (parent);
CREATE TABLE shops (region_id int NOT NULL REFERENCES regions (id) ON DELETE CASCADE ON UPDATE CASCADE);
CREATE INDEX shops_region_id ON shops (region_id);
CREATE TABLE "Region Notes" ("Region" int, note text);
CREATE SEQUENCE more_regions START 100000;
INSERT INTO regions SELECT g, nullif(g / 10, 0), 'r''' || g FROM generate_series(1, 1000) g;
INSERT INTO regions VALUES (-2147483648, 1, ''), (2147483646, -2147483648, E'\\'), (-1, -1, 'own');
INSERT INTO shops SELECT 1 + g % 900 FROM generate_series(1, 1000) g;
INSERT INTO "Region Notes" SELECT CASE WHEN g % 3 = 0 THEN NULL ELSE g END, 'n' FROM generate_series(1, 1200) g;
ALTER TABLE "Region Notes" ADD CONSTRAINT "it's" FOREIGN KEY ("Region") REFERENCES regions (id) NOT VALID;
"#;

/// A key that is an identity, under names that need quotes, one of them given later; a serial one. Both are ahead of their rows.
pub(super) const LEDGER: &str = r#"
CREATE TABLE "Ledger" ("Id" int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, amount numeric);
ALTER SEQUENCE "Ledger_Id_seq" RENAME TO "Entry's number";
CREATE TABLE postings (id smallserial CONSTRAINT postings_key PRIMARY KEY, entry int REFERENCES "Ledger" ("Id"), note text);
CREATE TABLE tickets (id serial PRIMARY KEY, title text);
INSERT INTO "Ledger" (amount) SELECT g FROM generate_series(1, 1000) g;
INSERT INTO postings (entry) SELECT g FROM generate_series(1, 900) g;
INSERT INTO tickets (title) SELECT 't' || g FROM generate_series(1, 1500) g;
DELETE FROM tickets WHERE id > 1400;
"#;

/// A partitioned table, one of its partitions the default, that is to point at another.
pub(super) const READINGS: &str = r#"
CREATE TABLE meters (id int PRIMARY KEY);
CREATE TABLE readings (meter int, at date NOT NULL, "Value" numeric) PARTITION BY RANGE (at);
CREATE TABLE readings_2024 PARTITION OF readings FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE "Readings rest" PARTITION OF readings DEFAULT;
CREATE INDEX readings_meter ON readings (meter);
INSERT INTO meters SELECT g FROM generate_series(-5, 500) g;
CREATE TABLE numbered (id bigint NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE numbered_2024 PARTITION OF numbered FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE "Numbered" PARTITION OF numbered FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE SEQUENCE more_numbers START 100000;
INSERT INTO numbered SELECT g, date '2024-06-01' + g % 500 FROM generate_series(1, 2000) g;
INSERT INTO readings SELECT CASE WHEN g % 7 = 0 THEN NULL ELSE g % 500 END, date '2024-06-01' + g, 'NaN' FROM generate_series(1, 2000) g;
"#;

/// Numbers at the ends of their types and NaN, texts with blanks at their ends: a few do not fit into what their columns become.
pub(super) const PARTS: &str = r#"
CREATE TABLE parts (
    id bigint PRIMARY KEY,
    size bigint NOT NULL DEFAULT 5 CONSTRAINT "not 13" CHECK (size <> 13),
    weight numeric(12, 4),
    "Label" text NOT NULL DEFAULT 'it''s',
    amount int UNIQUE,
    ratio double precision NOT NULL DEFAULT 0.5
);
CREATE INDEX parts_size ON parts (size) WHERE size > 0;
CREATE INDEX "Parts by label" ON parts (lower("Label"), size);
CREATE SEQUENCE more_parts START 100000;
INSERT INTO parts SELECT g, g * 20, g / 7.0, 'l' || g, g, g / 3.0 FROM generate_series(1, 1600) g;
INSERT INTO parts VALUES
    (2001, 32767, 'NaN', '', NULL, 32767.49), (2002, -32768, 9999.9949, 'blanks      ', 2147483647, -32768.5),
    (2003, 0, 99999999.9999, 'a long ''label''', -2147483648, 0), (2004, 1, -99999999.9999, repeat(E'\\', 10), 32768, 'Infinity'),
    (2005, 2, NULL, 'üüüüüüüüü', -32769, 1e300);
"#;

/// A materialized view under a name that needs quotes, whose rows are older than those of its table.
pub(super) const TOTALS: &str = r#"
CREATE TABLE sales (id bigint PRIMARY KEY, shop int, amount numeric);
CREATE SEQUENCE more_sales START 100000;
INSERT INTO sales SELECT g, g % 50, g FROM generate_series(1, 2000) g;
CREATE MATERIALIZED VIEW "Totals" AS SELECT shop AS "Shop", sum(amount) AS amount FROM sales GROUP BY shop;
CREATE UNIQUE INDEX totals_shop ON "Totals" ("Shop");
INSERT INTO sales SELECT g, g % 60, 'NaN' FROM generate_series(2001, 2100) g;
"#;

/// An identity that counts by twos, a key of its own table, one to another, two to it, triggers of the user, one of which writes rows once more.
pub(super) const BOOKINGS: &str = r#"
CREATE TABLE rooms (id int PRIMARY KEY);
INSERT INTO rooms SELECT g FROM generate_series(1, 20) g;
CREATE TABLE "Bookings" (
    "Id" int GENERATED ALWAYS AS IDENTITY (START 10 INCREMENT 2) PRIMARY KEY,
    during int4range NOT NULL,
    "It's by" text DEFAULT 'no''body' CHECK ("It's by" <> ''),
    moved_from int CONSTRAINT moved REFERENCES "Bookings" ON DELETE SET NULL,
    room int REFERENCES rooms (id) ON DELETE CASCADE,
    seen int NOT NULL DEFAULT 0,
    extra json
);
COMMENT ON COLUMN "Bookings".during IS 'days, it''s said';
CREATE INDEX "Bookings by ""who""" ON "Bookings" (lower("It's by"), room DESC) WHERE room > 1;
CREATE INDEX bookings_room ON "Bookings" (room) INCLUDE (during);
CREATE UNIQUE INDEX ON "Bookings" (moved_from, "Id");
CREATE FUNCTION seen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.seen := NEW.seen + 1; RETURN NEW; END $$;
CREATE TRIGGER "It's seen" BEFORE UPDATE OF room, during ON "Bookings" FOR EACH ROW WHEN (OLD.room IS DISTINCT FROM NEW.room) EXECUTE PROCEDURE seen();
CREATE FUNCTION name_them() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN UPDATE "Bookings" SET "It's by" = 'named' WHERE "Id" = NEW."Id" AND "It's by" IS NULL; RETURN NULL; END $$;
CREATE TRIGGER a_names AFTER UPDATE OF room ON "Bookings" FOR EACH ROW EXECUTE PROCEDURE name_them();
CREATE TABLE guests (booking int NOT NULL REFERENCES "Bookings" ON DELETE CASCADE ON UPDATE CASCADE, name text);
CREATE INDEX guests_booking ON guests (booking);
CREATE TABLE bills ("Booking" int CONSTRAINT "it's for" REFERENCES "Bookings" ("Id") DEFERRABLE, amount numeric);
CREATE SEQUENCE days START 100000;
INSERT INTO "Bookings" (during, "It's by", moved_from, room, extra)
    SELECT int4range(g, g + 1), CASE WHEN g % 3 = 0 THEN NULL ELSE 'O''Neill "' || g END, CASE WHEN g > 10 THEN g END, 1 + g % 20, '{"a": [1,  2]}'
    FROM generate_series(1, 500) g WHERE g % 2 = 0;
INSERT INTO "Bookings" (during, "It's by") VALUES ('[2000,3000)', E'\\'), ('[3000,4000)', '$lockkeeper$'), ('empty', NULL), ('empty', ' ');
INSERT INTO guests SELECT "Id", 'g' FROM "Bookings" WHERE "Id" % 4 = 0;
INSERT INTO bills SELECT "Id", 1 FROM "Bookings" WHERE "Id" % 3 = 0;
"#;

/// A serial key that is ahead of its rows, NULLs, a value of a type that cannot be compared, a deferred unique constraint; one table unlogged.
pub(super) const ITEMS: &str = r#"
CREATE SCHEMA "Stock";
CREATE TABLE "Stock".kinds (id smallint PRIMARY KEY);
INSERT INTO "Stock".kinds SELECT g FROM generate_series(1, 9) g;
CREATE TABLE "Stock"."Items" (
    number serial PRIMARY KEY,
    price numeric(10, 2) CHECK (price >= 0),
    amount int NOT NULL DEFAULT 1,
    place int CONSTRAINT "one place" UNIQUE DEFERRABLE INITIALLY DEFERRED,
    kind smallint NOT NULL REFERENCES "Stock".kinds (id),
    data xml
);
INSERT INTO "Stock"."Items" (price, amount, place, kind)
    SELECT CASE WHEN g % 7 = 0 THEN NULL WHEN g % 11 = 0 THEN 'NaN' ELSE g / 3.0 END, g % 5, g, 1 + g % 9 FROM generate_series(1, 1000) g;
DELETE FROM "Stock"."Items" WHERE number > 950;
CREATE UNLOGGED TABLE "Stock".loose (
    a text, b int, note text UNIQUE, up text, up_b int,
    PRIMARY KEY (a, b), CONSTRAINT loose_up FOREIGN KEY (up, up_b) REFERENCES "Stock".loose DEFERRABLE INITIALLY DEFERRED
);
INSERT INTO "Stock".loose SELECT 'it''s ' || g % 10, g, CASE WHEN g % 4 = 0 THEN NULL ELSE 'n' || g END, 'it''s 1', 1 FROM generate_series(1, 800) g;
"#;

/// A column that is computed and stored, with an index on it.
pub(super) const SUMS: &str = r#"
CREATE TABLE sums (id bigint PRIMARY KEY, a int, b int NOT NULL, sum int GENERATED ALWAYS AS (a + b) STORED);
CREATE INDEX sums_sum ON sums (sum);
CREATE SEQUENCE more_sums START 100000;
INSERT INTO sums SELECT g, CASE WHEN g % 3 = 0 THEN NULL ELSE g END, -g FROM generate_series(1, 1000) g;
"#;

/// Columns that are split and merged: quoted names, text without and with several spaces, quotes, dates at the ends, NULLs, a trigger of the user.
pub(super) const PEOPLE: &str = r#"
CREATE TABLE "People" (
    id bigserial PRIMARY KEY,
    "Full Name" text NOT NULL CHECK ("Full Name" <> 'x'),
    year int,
    month int,
    day int,
    touched int DEFAULT 0
);
CREATE INDEX "People's names" ON "People" (lower("Full Name"), year);
CREATE FUNCTION count_touches() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.touched := coalesce(OLD.touched, 0) + 1; RETURN NEW; END $$;
CREATE TRIGGER people_touch BEFORE UPDATE ON "People" FOR EACH ROW EXECUTE FUNCTION count_touches();
INSERT INTO "People" ("Full Name", year, month, day)
    SELECT 'Given' || g || ' O''Family ' || g, 1900 + g % 100, 1 + g % 12, 1 + g % 28 FROM generate_series(1, 1000) g;
INSERT INTO "People" ("Full Name") VALUES ('Single'), ('José María "Pepe" %s'), (E'a\\b $1'), ('$lockkeeper$ $$'), ('NEW."Full Name"'), (E'two\nlines x');
INSERT INTO "People" ("Full Name", year, month, day) VALUES ('Old One', 1, 1, 1), ('Far Off', 9999, 12, 31), ('No Day', NULL, 2, 3);
"#;

/// Tables that rows are moved between: one to one by a foreign key either way, many to one, quotes, NULLs, rows without a partner.
pub(super) const MEMBERS: &str = r#"
CREATE TABLE "Member" (id bigserial PRIMARY KEY, email text NOT NULL, "since" date DEFAULT '2020-01-01');
CREATE TABLE profiles (
    member_id bigint PRIMARY KEY REFERENCES "Member" (id) ON DELETE CASCADE,
    "Avatar" text NOT NULL DEFAULT 'none',
    bio text CHECK (bio <> ''),
    seen int
);
CREATE INDEX profiles_bio ON profiles (bio);
CREATE TABLE invoices (id bigserial PRIMARY KEY, member_id bigint REFERENCES "Member" (id) ON DELETE SET NULL, amount numeric(10, 2));
CREATE INDEX invoices_member ON invoices (member_id);
INSERT INTO "Member" (email) SELECT 'm' || g || '@example.org' FROM generate_series(1, 1000) g;
INSERT INTO "Member" (email, "since") VALUES (E'back\\slash''s "q" $1', NULL), ('', '9999-12-31');
INSERT INTO profiles SELECT g, 'a''' || g, 'bio ' || g, g FROM generate_series(1, 900) g;
INSERT INTO profiles VALUES (901, E'\\', NULL, NULL), (902, '$lockkeeper$', 'NEW.bio', 7);
INSERT INTO invoices (member_id, amount) SELECT nullif(g % 900, 0), g / 7.0 FROM generate_series(1, 2000) g;
"#;

/// An enum in two tables: with a default, a check, indexes, one of them partial, labels that need quotes, and a column of the type's name.
pub(super) const STATES: &str = r#"
CREATE TYPE state AS ENUM ('new', 'canceled', 'it''s paid', 'Lost?');
CREATE TABLE bookings (
    id bigint PRIMARY KEY,
    state state NOT NULL DEFAULT 'canceled' CONSTRAINT "paid or not" CHECK (state <> 'it''s paid' OR id > 0),
    "Before" state,
    note text
);
CREATE INDEX bookings_state ON bookings (state, id DESC);
CREATE INDEX "paid before" ON bookings ("Before") WHERE "Before" = 'it''s paid';
CREATE TABLE letters (about state NOT NULL, id int UNIQUE);
CREATE SEQUENCE more_bookings START 100000;
CREATE TYPE "Role" AS ENUM ('USER', 'GUEST', 'ADMIN');
CREATE TABLE "Account" (id int PRIMARY KEY, "role" "Role" NOT NULL DEFAULT 'GUEST');
INSERT INTO "Account" SELECT g, 'ADMIN' FROM generate_series(1, 500) g;
INSERT INTO bookings SELECT g, (ARRAY['new', 'canceled', 'it''s paid'])[1 + g % 3]::state,
    CASE WHEN g % 5 > 0 THEN (ARRAY['canceled', 'it''s paid'])[1 + g % 2]::state END, 'n' || g FROM generate_series(1, 2000) g;
INSERT INTO letters SELECT (ARRAY['new', 'canceled'])[1 + g % 2]::state, g FROM generate_series(1, 500) g;
"#;

/// Views, functions, types and a schema that have names to change.
pub(super) const PLACES: &str = r#"
CREATE TYPE point_of AS (x int, y int);
CREATE TYPE level AS ENUM ('low', 'high');
CREATE DOMAIN mail AS text CHECK (VALUE LIKE '%@%');
CREATE TABLE places (id bigint PRIMARY KEY, kind text, level level);
CREATE SEQUENCE more_places START 100000;
INSERT INTO places SELECT g, 'k' || g % 7, 'low' FROM generate_series(1, 500) g;
CREATE VIEW "Near By" AS SELECT id, kind FROM places WHERE id > 0 WITH CHECK OPTION;
CREATE FUNCTION price(bigint) RETURNS numeric LANGUAGE sql STABLE AS 'SELECT $1 * 1.5';
CREATE FUNCTION around("Place" bigint, kinds text DEFAULT 'k''1') RETURNS TABLE (id bigint, kind text) LANGUAGE sql AS
    'SELECT p.id, p.kind FROM places p WHERE p.id BETWEEN $1 - 3 AND $1 + 3 AND p.kind <> $2';
CREATE TABLE visited (id bigserial PRIMARY KEY, at point_of, mail mail);
INSERT INTO visited (at, mail) SELECT ROW(g, -g)::point_of, 'a@' || g FROM generate_series(1, 300) g;
CREATE SCHEMA shop;
CREATE TABLE shop.items (id serial PRIMARY KEY, name text NOT NULL);
CREATE INDEX items_name ON shop.items (name);
CREATE VIEW shop."Cheap Items" AS SELECT id, name FROM shop.items WHERE id < 100;
INSERT INTO shop.items (name) SELECT 'n' || g FROM generate_series(1, 300) g;
"#;

/// A table whose rows are of several kinds, and one of rows that might be such a kind.
pub(super) const PARTIES: &str = r#"
CREATE TABLE levels (id int PRIMARY KEY);
INSERT INTO levels SELECT g FROM generate_series(1, 9) g;
CREATE TABLE "Customers" (
    id serial UNIQUE, email text PRIMARY KEY, "Full Name" varchar(60) NOT NULL CHECK ("Full Name" <> ''), level int REFERENCES levels,
    data json, note text DEFAULT 'n'
);
CREATE INDEX customers_level ON "Customers" (level);
CREATE TABLE parties (
    kind text NOT NULL DEFAULT 'supplier', "E-Mail" text NOT NULL, called varchar(60) NOT NULL, level int, data json, seen timestamptz DEFAULT now(),
    PRIMARY KEY (kind, "E-Mail")
);
CREATE TABLE people (code text PRIMARY KEY, called varchar(60) NOT NULL, kind text, rank int DEFAULT 1);
INSERT INTO "Customers" (email, "Full Name", level, data)
    SELECT 'c' || g, 'O''Neill "' || g, nullif(g % 10, 0), CASE WHEN g % 7 = 0 THEN NULL ELSE '{"a": 1}'::json END FROM generate_series(1, 1000) g;
INSERT INTO "Customers" (email, "Full Name") VALUES ('', ' '), ('it''s', E'\\'), ('two', E'two\nlines'), ('$lockkeeper$', '%');
INSERT INTO parties (kind, "E-Mail", called) SELECT 'supplier', 'c' || g, 's' || g FROM generate_series(500, 1500) g;
INSERT INTO people SELECT 'p' || g, 'n' || g, 'person' FROM generate_series(1, 300) g;
"#;
