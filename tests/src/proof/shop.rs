//! Whole migrations as people write them, on one schema with rights, comments, triggers, views, and writers that name no columns.
//!
//! Proved on the server of the gate only, and not kept in the record: each is made of recipes that are proved on every version.

use lockkeeper_core::plan::Way;

use super::{Fixture, prove_whole};

const SCHEMA: &str = r"
CREATE TABLE accounts (id bigint PRIMARY KEY, name text NOT NULL, plan text DEFAULT 'free', created timestamp NOT NULL DEFAULT now());
CREATE TABLE people (id bigint PRIMARY KEY, account_id bigint NOT NULL REFERENCES accounts, email text NOT NULL, name text, born bigint, tags text, score int, UNIQUE (email));
CREATE TABLE orders (id bigint PRIMARY KEY, person_id bigint NOT NULL REFERENCES people, state text NOT NULL DEFAULT 'open', total int NOT NULL DEFAULT 0, note varchar(80), placed timestamp NOT NULL DEFAULT now(), CONSTRAINT orders_total CHECK (total >= 0));
CREATE TABLE lines (id bigint PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders ON DELETE CASCADE, sku text NOT NULL, quantity int NOT NULL, price int NOT NULL);
CREATE TABLE audit (id bigint PRIMARY KEY, what text NOT NULL);
CREATE INDEX orders_person ON orders (person_id);
CREATE INDEX lines_order ON lines (order_id);
CREATE UNIQUE INDEX people_name ON people (account_id, name);
CREATE VIEW open_orders AS SELECT id, person_id, total FROM orders WHERE state = 'open';
CREATE VIEW totals AS SELECT person_id, sum(total) AS total FROM open_orders GROUP BY person_id;
COMMENT ON TABLE people IS 'who buys';
COMMENT ON COLUMN people.name IS 'as they say it';
COMMENT ON VIEW open_orders IS 'to be shipped';
CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note := coalesce(NEW.note, ''); RETURN NEW; END $$;
CREATE TRIGGER touched BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE PROCEDURE touched();
GRANT SELECT, INSERT, UPDATE ON accounts, people, orders, lines TO PUBLIC;
GRANT SELECT ON open_orders, totals TO PUBLIC;
GRANT UPDATE (name) ON people TO PUBLIC;
CREATE SEQUENCE more START 100000;
INSERT INTO accounts SELECT g, 'acc' || g FROM generate_series(1, 1000) g;
INSERT INTO people SELECT g, g, 'p' || g || '@x', 'n' || g, 1000000 + g, 'a,b' || g, CASE WHEN g % 3 = 0 THEN NULL ELSE g END FROM generate_series(1, 1000) g;
INSERT INTO orders (id, person_id, state, total) SELECT g, g, CASE WHEN g % 4 = 0 THEN 'paid' ELSE 'open' END, g FROM generate_series(1, 1000) g;
INSERT INTO lines SELECT g, g, 's' || g, g % 7, g % 11 FROM generate_series(1, 1000) g;
INSERT INTO audit SELECT g, 'w' || g FROM generate_series(1, 1000) g;
";

const OLD: &[&str] = &[
    "INSERT INTO accounts VALUES (nextval('more'), 'more', 'free', now())",
    "INSERT INTO people (id, account_id, email, name, born, tags) SELECT n, 1, 'p' || n || '@x', 'n' || n, n, 'a,b' FROM nextval('more') n",
    "UPDATE people SET name = 'was' || id, born = born + 1, tags = 'c', score = NULL WHERE id = 1 + (SELECT (random() * 900)::int)",
    "INSERT INTO orders (id, person_id, total) SELECT n, 1 + n % 900, 5 FROM nextval('more') n",
    "UPDATE orders SET total = total + 1, state = 'paid', note = 'n' WHERE id = 1 + (SELECT (random() * 900)::int)",
    "INSERT INTO lines VALUES (nextval('more'), 5, 's' || currval('more'), 2, 3)",
    "UPDATE lines SET quantity = 3, price = price + 1 WHERE id = 1 + (SELECT (random() * 900)::int)",
    "SELECT name, born, tags, score FROM people WHERE id = 7",
    "SELECT sum(total) FROM open_orders WHERE id < 50",
    "SELECT total FROM totals WHERE person_id = 9",
];

const MIGRATIONS: &[Fixture] = &[
    Fixture {
        name: "filled by a trigger of its own",
        schema: SCHEMA,
        migration: "ALTER TABLE orders ADD COLUMN search text;
            CREATE FUNCTION orders_search() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.search := lower(NEW.state || ' ' || coalesce(NEW.note, '')); RETURN NEW; END $$;
            CREATE TRIGGER orders_search BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE PROCEDURE orders_search();
            UPDATE orders SET search = lower(state || ' ' || coalesce(note, ''));
            ALTER TABLE orders ALTER COLUMN search SET NOT NULL;",
        releases: &[OLD],
        restore: Some("SELECT 1"),
        ..Fixture::PLAIN
    },
    Fixture {
        name: "a number of seconds becomes a time",
        schema: SCHEMA,
        migration: "ALTER TABLE people ALTER COLUMN born TYPE timestamptz USING to_timestamp(born);
            -- lockkeeper: back UPDATE people SET born = extract(epoch FROM born)::bigint
            COMMENT ON COLUMN people.born IS 'in UTC';",
        releases: &[OLD, &["UPDATE people SET name = 'is' || id, born = born WHERE id = 1 + (SELECT (random() * 900)::int)", "SELECT born FROM people WHERE id = 7", "SELECT sum(total) FROM open_orders WHERE id < 50"]],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "a text becomes a list",
        schema: SCHEMA,
        migration: "ALTER TABLE people ALTER COLUMN tags TYPE text[] USING string_to_array(tags, ',');
            -- lockkeeper: back UPDATE people SET tags = array_to_string(tags, ',')
            CREATE INDEX people_tags ON people USING gin (tags);",
        releases: &[OLD, &["UPDATE people SET name = 'is' || id, tags = tags WHERE id = 1 + (SELECT (random() * 900)::int)", "SELECT tags FROM people WHERE id = 7"]],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "a table and its columns renamed",
        schema: SCHEMA,
        migration: "ALTER TABLE people RENAME TO customers;
            ALTER TABLE customers RENAME COLUMN born TO birthday;
            ALTER INDEX people_name RENAME TO customers_name;",
        releases: &[OLD, &["UPDATE customers SET name = 'is' || id, birthday = birthday + 1 WHERE id = 1 + (SELECT (random() * 900)::int)", "INSERT INTO customers (id, account_id, email, name, birthday) SELECT n, 1, 'p' || n || '@x', 'n' || n, n FROM nextval('more') n", "SELECT birthday FROM customers WHERE id = 7"]],
        way: Way::View,
        ..Fixture::PLAIN
    },
    Fixture {
        name: "a foreign key to another table",
        schema: SCHEMA,
        migration: "ALTER TABLE orders ADD COLUMN account_id bigint;
            UPDATE orders o SET account_id = p.account_id FROM people p WHERE p.id = o.person_id;
            ALTER TABLE orders ALTER COLUMN account_id SET NOT NULL;
            ALTER TABLE orders ADD CONSTRAINT orders_account FOREIGN KEY (account_id) REFERENCES accounts (id);
            CREATE INDEX orders_account ON orders (account_id);",
        releases: &[OLD, &["INSERT INTO orders (id, person_id, account_id, total) SELECT n, 1 + n % 900, 1 + n % 900, 5 FROM nextval('more') n", "UPDATE orders SET total = total + 1 WHERE id = 1 + (SELECT (random() * 900)::int)", "SELECT account_id FROM orders WHERE id = 7"]],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "three stored columns",
        schema: SCHEMA,
        migration: "ALTER TABLE lines ADD COLUMN cost int GENERATED ALWAYS AS (quantity * price) STORED;
            ALTER TABLE lines ADD COLUMN big boolean GENERATED ALWAYS AS (quantity > 10) STORED;
            ALTER TABLE lines ADD COLUMN word text GENERATED ALWAYS AS (lower(sku)) STORED;",
        releases: &[OLD],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "a change to each of five tables",
        schema: SCHEMA,
        migration: "ALTER TABLE accounts ADD COLUMN region text NOT NULL DEFAULT 'eu';
            ALTER TABLE people RENAME COLUMN score TO points;
            ALTER TABLE orders ALTER COLUMN placed SET DEFAULT clock_timestamp();
            ALTER TABLE lines ALTER COLUMN price TYPE bigint;
            ALTER TABLE lines ADD CONSTRAINT lines_quantity CHECK (quantity >= 0);
            ALTER TABLE audit ADD COLUMN at timestamptz NOT NULL DEFAULT now();",
        releases: &[OLD, &["UPDATE people SET name = 'is' || id, points = 5 WHERE id = 1 + (SELECT (random() * 900)::int)", "INSERT INTO lines (id, order_id, sku, quantity, price) SELECT n, 5, 't' || n, 2, 3 FROM nextval('more') n", "UPDATE lines SET quantity = 4 WHERE id = 1 + (SELECT (random() * 900)::int)", "SELECT price FROM lines WHERE id = 7"]],
        touched: &["at"],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "a default, the rows, then NOT NULL",
        schema: SCHEMA,
        migration: "ALTER TABLE people ALTER COLUMN score SET DEFAULT 0;
            UPDATE people SET score = 0 WHERE score IS NULL;
            ALTER TABLE people ALTER COLUMN score SET NOT NULL;",
        releases: &[OLD, &["INSERT INTO people (id, account_id, email, name, score) SELECT n, 1, 'p' || n || '@x', 'n' || n, 3 FROM nextval('more') n", "UPDATE people SET score = 4 WHERE id = 1 + (SELECT (random() * 900)::int)"]],
        restore: Some("SELECT 1"),
        touched: &["score"],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "a column dropped and made again",
        schema: SCHEMA,
        migration: "ALTER TABLE people DROP COLUMN tags;
            ALTER TABLE people ADD COLUMN tags text[] NOT NULL DEFAULT '{}';",
        releases: &[OLD, &["INSERT INTO people (id, account_id, email, name) SELECT n, 1, 'p' || n || '@x', 'n' || n FROM nextval('more') n", "UPDATE people SET score = 4 WHERE id = 1 + (SELECT (random() * 900)::int)"]],
        restore: Some("UPDATE people SET tags = 'a,b' || id"),
        restores_each: true,
        ..Fixture::PLAIN
    },
    Fixture {
        name: "a unique index replaced",
        schema: SCHEMA,
        migration: "DROP INDEX people_name;
            CREATE UNIQUE INDEX people_name ON people (account_id, lower(name));
            ALTER TABLE people ADD CONSTRAINT people_email_lower CHECK (email = lower(email));",
        releases: &[OLD, &["INSERT INTO people (id, account_id, email, name) SELECT n, 1, 'p' || n || '@x', 'n' || n FROM nextval('more') n", "UPDATE people SET name = 'is' || id WHERE id = 1 + (SELECT (random() * 900)::int)"]],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "states become a type",
        schema: SCHEMA,
        migration: "CREATE TYPE order_state AS ENUM ('open', 'paid', 'sent');
            DROP VIEW totals; DROP VIEW open_orders;
            ALTER TABLE orders ALTER COLUMN state DROP DEFAULT;
            ALTER TABLE orders ALTER COLUMN state TYPE order_state USING state::order_state;
            ALTER TABLE orders ALTER COLUMN state SET DEFAULT 'open';
            CREATE VIEW open_orders AS SELECT id, person_id, total FROM orders WHERE state = 'open';
            CREATE VIEW totals AS SELECT person_id, sum(total) AS total FROM open_orders GROUP BY person_id;
            GRANT SELECT ON open_orders, totals TO PUBLIC;
            COMMENT ON VIEW open_orders IS 'to be shipped';",
        releases: &[OLD, &["UPDATE orders SET state = 'open' WHERE id = 1 + (SELECT (random() * 900)::int)", "INSERT INTO orders (id, person_id, total) SELECT n, 1 + n % 900, 5 FROM nextval('more') n", "SELECT sum(total) FROM open_orders WHERE id < 50", "SELECT total FROM totals WHERE person_id = 9"]],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "a column renamed with its index and constraint",
        schema: SCHEMA,
        migration: "ALTER TABLE orders RENAME COLUMN total TO amount;
            ALTER TABLE orders RENAME CONSTRAINT orders_total TO orders_amount;
            CREATE INDEX orders_amount ON orders (amount);",
        releases: &[OLD, &["UPDATE orders SET amount = amount + 1 WHERE id = 1 + (SELECT (random() * 900)::int)", "INSERT INTO orders (id, person_id, amount) SELECT n, 1 + n % 900, 5 FROM nextval('more') n", "SELECT sum(total) FROM open_orders WHERE id < 50"]],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "what nobody uses goes",
        schema: SCHEMA,
        migration: "ALTER TABLE lines DROP COLUMN sku;
            ALTER TABLE orders DROP CONSTRAINT orders_total;
            DROP INDEX people_name;
            DROP TABLE audit;",
        releases: &[OLD, &["INSERT INTO lines (id, order_id, quantity, price) SELECT n, 5, 2, 3 FROM nextval('more') n", "UPDATE orders SET total = total + 1 WHERE id = 1 + (SELECT (random() * 900)::int)", "UPDATE people SET name = 'same' WHERE id = 1 + (SELECT (random() * 900)::int)"]],
        restore: Some(
            "DO $$ BEGIN
                IF EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 'lines' AND column_name = 'sku') THEN
                    UPDATE lines SET sku = 's' || id;
                END IF;
                IF to_regclass('gone_audit') IS NOT NULL AND NOT EXISTS (SELECT 1 FROM gone_audit) THEN
                    INSERT INTO gone_audit SELECT g, 'w' || g FROM generate_series(1, 1000) g;
                END IF;
            END $$",
        ),
        restores_each: true,
        ..Fixture::PLAIN
    },
    Fixture {
        name: "rows mended, then a check",
        schema: SCHEMA,
        migration: "UPDATE lines SET quantity = 1 WHERE quantity <= 0;
            ALTER TABLE lines ADD CONSTRAINT lines_quantity CHECK (quantity > 0);
            ALTER TABLE lines ADD CONSTRAINT lines_sku UNIQUE (order_id, sku);",
        releases: &[OLD, &["INSERT INTO lines (id, order_id, sku, quantity, price) SELECT n, 5, 't' || n, 2, 3 FROM nextval('more') n", "UPDATE lines SET quantity = 4 WHERE id = 1 + (SELECT (random() * 900)::int)"]],
        restore: Some("SELECT 1"),
        touched: &["quantity"],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "a type in the zone of the migration",
        schema: SCHEMA,
        migration: "SET TIME ZONE 'Asia/Tokyo'; SET shop.tenant = '7'; SET default_tablespace = '';
            SET search_path = public;
            ALTER TABLE orders ALTER COLUMN placed TYPE timestamptz;
            ALTER TABLE accounts ALTER COLUMN created TYPE timestamptz;
            CREATE INDEX orders_placed ON orders (placed);",
        releases: &[OLD, &["SET TIME ZONE 'America/Lima'; INSERT INTO orders (id, person_id, total) SELECT n, 1 + n % 900, 5 FROM nextval('more') n", "UPDATE orders SET placed = placed WHERE id = 1 + (SELECT (random() * 900)::int)", "SELECT created FROM accounts WHERE id = 7"]],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "required at once, the default goes",
        schema: SCHEMA,
        migration: "ALTER TABLE accounts ADD COLUMN currency text NOT NULL DEFAULT 'EUR';
            ALTER TABLE accounts ALTER COLUMN currency DROP DEFAULT;
            ALTER TABLE accounts ADD CONSTRAINT accounts_currency CHECK (length(currency) = 3);",
        releases: &[OLD, &["INSERT INTO accounts (id, name, currency) SELECT n, 'new', 'USD' FROM nextval('more') n", "UPDATE accounts SET plan = 'paid' WHERE id = 1 + (SELECT (random() * 900)::int)"]],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "a key of its own for each row",
        schema: SCHEMA,
        migration: "ALTER TABLE people ADD COLUMN token uuid DEFAULT gen_random_uuid();
            ALTER TABLE people ALTER COLUMN token SET NOT NULL;
            ALTER TABLE people ADD CONSTRAINT people_token UNIQUE (token);",
        releases: &[OLD],
        touched: &["token"],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "names put together",
        schema: SCHEMA,
        migration: "ALTER TABLE people ADD COLUMN label text;
            UPDATE people SET label = coalesce(name, '') || ' <' || email || '>';
            ALTER TABLE people ALTER COLUMN label SET NOT NULL;
            CREATE INDEX people_label ON people (label);
            COMMENT ON COLUMN people.label IS 'for envelopes';",
        releases: &[OLD, &["INSERT INTO people (id, account_id, email, name, label) SELECT n, 1, 'p' || n || '@x', 'n' || n, 'own' FROM nextval('more') n", "UPDATE people SET name = 'both', label = 'both' WHERE id = 901 + (SELECT (random() * 90)::int)"]],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "keys become bigger, everything else stays",
        schema: SCHEMA,
        migration: "ALTER TABLE lines ALTER COLUMN quantity TYPE bigint, ALTER COLUMN price TYPE bigint;
            ALTER TABLE lines ALTER COLUMN price SET DEFAULT 0;
            CREATE INDEX lines_sku ON lines (sku);",
        releases: &[OLD, &["INSERT INTO lines (id, order_id, sku, quantity, price) SELECT n, 5, 't' || n, 2, 3 FROM nextval('more') n", "UPDATE lines SET quantity = 4, price = 2 WHERE id = 1 + (SELECT (random() * 900)::int)", "SELECT price FROM lines WHERE id = 7"]],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "a new table and a way to it",
        schema: SCHEMA,
        migration: "CREATE TABLE carriers (id bigint PRIMARY KEY, name text NOT NULL);
            INSERT INTO carriers VALUES (1, 'post');
            ALTER TABLE orders ADD COLUMN carrier_id bigint NOT NULL DEFAULT 1 REFERENCES carriers (id);
            CREATE INDEX orders_carrier ON orders (carrier_id);
            GRANT SELECT ON carriers TO PUBLIC;",
        releases: &[OLD],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "a view that shows more, and a column less",
        schema: SCHEMA,
        migration: "DROP VIEW totals; DROP VIEW open_orders;
            CREATE VIEW open_orders AS SELECT id, person_id, total, note FROM orders WHERE state = 'open';
            CREATE VIEW totals AS SELECT person_id, sum(total) AS total, count(*) AS orders FROM open_orders GROUP BY person_id;
            GRANT SELECT ON totals, open_orders TO PUBLIC;
            COMMENT ON VIEW open_orders IS 'to be shipped';
            ALTER TABLE people DROP COLUMN tags;",
        releases: &[OLD, &["INSERT INTO people (id, account_id, email, name) SELECT n, 1, 'p' || n || '@x', 'n' || n FROM nextval('more') n", "SELECT sum(total) FROM open_orders WHERE id < 50", "SELECT total FROM totals WHERE person_id = 9"]],
        restore: Some("UPDATE people SET tags = 'a,b' || id"),
        restores_each: true,
        ..Fixture::PLAIN
    },
    Fixture {
        name: "values from two other tables, and a list",
        schema: SCHEMA,
        migration: "ALTER TABLE orders ADD COLUMN plan text;
            UPDATE orders o SET plan = a.plan FROM people p JOIN accounts a ON a.id = p.account_id WHERE p.id = o.person_id;
            CREATE INDEX orders_plan ON orders (plan);
            UPDATE people SET score = v.score FROM (VALUES (3, 7), (6, 8)) v(id, score) WHERE v.id = people.id;",
        releases: &[OLD, &["INSERT INTO orders (id, person_id, total, plan) SELECT n, 1 + n % 900, 5, 'free' FROM nextval('more') n", "UPDATE orders SET total = total + 1 WHERE id = 1 + (SELECT (random() * 900)::int)", "SELECT plan FROM orders WHERE id = 7"]],
        restore: Some("SELECT 1"),
        touched: &["score"],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "rows that stand twice go, then what keeps them apart",
        schema: SCHEMA,
        migration: "DELETE FROM lines a USING lines b WHERE a.id > b.id AND a.order_id = b.order_id AND a.sku = b.sku;
            ALTER TABLE lines ADD CONSTRAINT lines_sku UNIQUE (order_id, sku);
            ALTER TABLE orders DROP CONSTRAINT orders_total;
            ALTER TABLE orders ADD CONSTRAINT orders_total CHECK (total BETWEEN 0 AND 1000000);",
        releases: &[OLD, &["UPDATE orders SET total = total + 1 WHERE id = 1 + (SELECT (random() * 900)::int)", "INSERT INTO lines (id, order_id, sku, quantity, price) SELECT n, 5, 't' || n, 2, 3 FROM nextval('more') n"]],
        restore: Some("SELECT 1"),
        ..Fixture::PLAIN
    },
];

#[test]
fn migrations_of_a_shop_survive_the_traffic_between_their_files() {
    prove_whole(MIGRATIONS);
}
