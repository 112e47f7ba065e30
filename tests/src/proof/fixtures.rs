//! What is proved: schemas with awkward rows, changes, and the statements of the releases around them.

use super::Fixture;
use lockkeeper_core::plan::Way;

const USERS: &str = "
CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL UNIQUE,
    name text NOT NULL DEFAULT 'nobody' CHECK (name <> ''),
    nick varchar(40),
    updated_at timestamptz
);
CREATE INDEX users_name ON users (name);
CREATE INDEX users_email_name ON users (email, lower(name)) WHERE name <> 'gone';
CREATE UNIQUE INDEX users_nick_name ON users (nick, name);
CREATE VIEW named_users AS SELECT u.id, u.name, upper(u.name) AS loud FROM users u WHERE u.name <> 'x';
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$;
CREATE TRIGGER users_touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();
INSERT INTO users (email, name, nick) SELECT 'e' || g, 'O''Neill \"' || g, 'n' || g FROM generate_series(1, 1000) g;
";

const WRITES_NAME: &[&str] = &[
    "INSERT INTO users (email, name) VALUES (gen_random_uuid()::text, 'old')",
    "INSERT INTO users (email) VALUES (gen_random_uuid()::text)",
    "UPDATE users SET name = 'was ' || id WHERE id = 1 + (random() * 900)::int",
    "UPDATE users SET nick = nick WHERE id = 1 + (random() * 900)::int",
    "SELECT id, name FROM users WHERE name = 'old' LIMIT 1",
    "SELECT id, name, loud FROM named_users LIMIT 1",
];

const WRITES_FULL_NAME: &[&str] = &[
    "INSERT INTO users (email, full_name) VALUES (gen_random_uuid()::text, 'new')",
    "UPDATE users SET full_name = 'is ' || id WHERE id = 1 + (random() * 900)::int",
    "SELECT id, full_name FROM users WHERE full_name = 'new' LIMIT 1",
];

const WRITES_BOTH: &[&str] = &[
    "INSERT INTO users (email, name, full_name) VALUES (gen_random_uuid()::text, 'both', 'both')",
    "UPDATE users SET name = 'b', full_name = 'b' WHERE id = 1 + (random() * 900)::int",
    "SELECT id, name FROM users WHERE name = 'old' LIMIT 1",
];

const ORDERS: &str = "
CREATE TABLE customers (id int PRIMARY KEY);
INSERT INTO customers SELECT g FROM generate_series(1, 100) g;
CREATE TABLE orders (
    id bigint PRIMARY KEY,
    customer_id int,
    total int NOT NULL DEFAULT 0 CHECK (total >= 0),
    code text,
    note text NOT NULL
);
CREATE INDEX orders_total ON orders (total DESC);
CREATE INDEX orders_customer_note ON orders (customer_id, note);
CREATE SEQUENCE more_orders START 100000;
INSERT INTO orders SELECT g, 1 + g % 100, g, 'c' || g, 'n' FROM generate_series(1, 2000) g;
";

const USES_ORDERS: &[&str] = &[
    "INSERT INTO orders (id, customer_id, total, code, note) SELECT n, 1, 7, 'k' || n, 'x' FROM nextval('more_orders') n",
    "UPDATE orders SET total = total + 1 WHERE id = 1 + (random() * 1900)::int",
    "SELECT sum(total) FROM orders WHERE customer_id = 5",
];

const USES_ORDERS_WITHOUT_NOTE: &[&str] = &[
    "INSERT INTO orders (id, customer_id, total, code) SELECT n, 1, 7, 'k' || n FROM nextval('more_orders') n",
    "UPDATE orders SET total = total + 1 WHERE id = 1 + (random() * 1900)::int",
];

const ORDERS_BEFORE_KEY: &str = "
CREATE TABLE events (id bigint, at timestamptz);
INSERT INTO events SELECT g, now() FROM generate_series(1, 2000) g;
CREATE SEQUENCE more_events START 100000;
";

const USES_EVENTS: &[&str] = &[
    "INSERT INTO events (id, at) VALUES (nextval('more_events'), now())",
    "SELECT count(*) FROM events WHERE id < 10",
];

pub(super) const FIXTURES: &[Fixture] = &[
    Fixture {
        name: "rename a column",
        way: Way::Triggers,
        schema: USERS,
        migration: "ALTER TABLE users RENAME COLUMN name TO full_name;",
        restore: None,
        releases: &[WRITES_NAME, WRITES_FULL_NAME],
    },
    Fixture {
        name: "rename a column",
        way: Way::Application,
        schema: USERS,
        migration: "ALTER TABLE users RENAME COLUMN name TO full_name;",
        restore: None,
        releases: &[WRITES_NAME, WRITES_BOTH, WRITES_BOTH, WRITES_FULL_NAME],
    },
    Fixture {
        name: "change a type",
        way: Way::Triggers,
        schema: ORDERS,
        migration: "ALTER TABLE orders ALTER COLUMN total TYPE bigint;",
        restore: None,
        releases: &[USES_ORDERS, USES_ORDERS],
    },
    Fixture {
        name: "set NOT NULL",
        way: Way::Triggers,
        schema: ORDERS,
        migration: "ALTER TABLE orders ALTER COLUMN customer_id SET NOT NULL;",
        restore: None,
        releases: &[USES_ORDERS, USES_ORDERS],
    },
    Fixture {
        name: "add a foreign key",
        way: Way::Triggers,
        schema: ORDERS,
        migration: "ALTER TABLE orders ADD CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES customers (id);",
        restore: None,
        releases: &[USES_ORDERS],
    },
    Fixture {
        name: "add a unique constraint",
        way: Way::Triggers,
        schema: ORDERS,
        migration: "ALTER TABLE orders ADD UNIQUE (code);",
        restore: None,
        releases: &[USES_ORDERS],
    },
    Fixture {
        name: "add a primary key",
        way: Way::Triggers,
        schema: ORDERS_BEFORE_KEY,
        migration: "ALTER TABLE events ADD PRIMARY KEY (id);",
        restore: None,
        releases: &[USES_EVENTS],
    },
    Fixture {
        name: "build an index",
        way: Way::Triggers,
        schema: ORDERS,
        migration: "CREATE INDEX orders_code ON orders (lower(code)) WHERE total > 5;",
        restore: None,
        releases: &[USES_ORDERS],
    },
    Fixture {
        name: "drop an index",
        way: Way::Triggers,
        schema: ORDERS,
        migration: "DROP INDEX orders_total;",
        restore: None,
        releases: &[USES_ORDERS],
    },
    Fixture {
        name: "drop a column",
        way: Way::Triggers,
        schema: ORDERS,
        migration: "ALTER TABLE orders DROP COLUMN note;",
        restore: Some("UPDATE orders SET note = 'from the backup' WHERE note IS NULL"),
        releases: &[USES_ORDERS, USES_ORDERS_WITHOUT_NOTE],
    },
];
