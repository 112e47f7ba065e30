//! Whole migrations beside clients of both releases: what strangers wrote, and broke.
//!
//! Proved on the server of the gate only, and not kept in the record: each is made of recipes that are proved on every version.

use super::{Fixture, prove_whole};

const SCHEMA: &str = "
    CREATE TABLE users (id bigint PRIMARY KEY, full_name text NOT NULL, email text, balance bigint NOT NULL DEFAULT 0);
    CREATE TABLE memberships (user_id bigint NOT NULL REFERENCES users, org_id bigint NOT NULL);
    CREATE INDEX memberships_user ON memberships (user_id);
    CREATE TABLE posts (id bigint PRIMARY KEY, user_id bigint NOT NULL REFERENCES users, body text, likes int);
    CREATE VIEW names AS SELECT id, full_name FROM users;
    CREATE VIEW loud_names AS SELECT id, upper(full_name) AS loud FROM names;
    CREATE VIEW balances AS SELECT id, balance FROM users WHERE balance >= 0;
    GRANT SELECT ON names, loud_names, balances TO PUBLIC;
    CREATE SEQUENCE more START 10000;
    INSERT INTO users SELECT g, 'Ann Lee' || g, 'a' || g || '@x', g FROM generate_series(1, 1000) g;
    INSERT INTO memberships SELECT g, 1 + g % 7 FROM generate_series(1, 1000) g;
    INSERT INTO posts SELECT g, g, CASE WHEN g % 5 = 0 THEN NULL ELSE 'b' || g END, g % 3 FROM generate_series(1, 1000) g;";

const OLD: &[&str] = &[
    "WITH u AS (INSERT INTO users (id, full_name) SELECT n, 'Old Man' FROM nextval('more') n RETURNING id) SELECT id FROM u",
    "UPDATE users SET full_name = 'Was Here' WHERE id = 1 + (SELECT (random() * 900)::int)",
    "UPDATE users SET balance = balance + 1 WHERE id = 1 + (SELECT (random() * 900)::int)",
    "SELECT full_name FROM names WHERE id = 7",
    "SELECT loud FROM loud_names WHERE id = 9",
    "SELECT sum(balance) FROM balances WHERE id < 50",
    "INSERT INTO posts (id, user_id, body, likes) SELECT n, 1, 'old', 1 FROM nextval('more') n",
    "UPDATE posts SET likes = likes + 1, body = body WHERE id = 1 + (SELECT (random() * 900)::int)",
];

const READS_POSTS: &[&str] = &[
    "SELECT body, likes FROM posts WHERE id = 5",
    "UPDATE posts SET body = 'was' WHERE id = 1 + (SELECT (random() * 900)::int)",
];

const KNOWS_ORG: &[&str] = &[
    "INSERT INTO users (id, full_name, org_id) SELECT n, 'New', 3 FROM nextval('more') n",
    "UPDATE users SET org_id = 5 WHERE id = 1 + (SELECT (random() * 900)::int)",
    "SELECT full_name FROM names WHERE id = 7",
];

const KNOWS_PARTS: &[&str] = &[
    "INSERT INTO users (id, first, rest) SELECT n, 'New', 'One' FROM nextval('more') n",
    "UPDATE users SET rest = 'Now' WHERE id = 1 + (SELECT (random() * 900)::int)",
    "SELECT full_name FROM names WHERE id = 7",
];

const KNOWS_CENTS: &[&str] = &[
    "UPDATE users SET balance = balance WHERE id = 1 + (SELECT (random() * 900)::int)",
    "SELECT sum(balance) FROM balances WHERE id < 50",
];

const KNOWS_ALL: &[&str] = &[
    "INSERT INTO users (id, full_name, mail, slug) SELECT n, 'New', 'n@x', 'own' FROM nextval('more') n",
    "UPDATE users SET full_name = 'Both', slug = 'both' WHERE id = 901 + (SELECT (random() * 90)::int)",
    "INSERT INTO posts (id, user_id, body, likes) SELECT n, 1, 'new', 2 FROM nextval('more') n",
    "UPDATE posts SET body = 'is', likes = 4 WHERE id = 1 + (SELECT (random() * 900)::int)",
    "SELECT 1 / (count(*) = 0)::int FROM users WHERE full_name = 'New' AND slug <> 'own'",
];

const MIGRATIONS: &[Fixture] = &[
    Fixture {
        name: "fill from another table whose column has the same name",
        schema: SCHEMA,
        migration: "ALTER TABLE users ADD COLUMN org_id bigint;
            UPDATE users SET org_id = COALESCE((SELECT m.org_id FROM memberships m WHERE m.user_id = users.id LIMIT 1), 0);
            ALTER TABLE users ALTER COLUMN org_id SET NOT NULL;
            CREATE INDEX users_org ON users (org_id);",
        releases: &[OLD, KNOWS_ORG],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "split a column under views that read each other",
        schema: SCHEMA,
        migration: "ALTER TABLE users ADD COLUMN first text, ADD COLUMN rest text;
            UPDATE users SET first = split_part(full_name, ' ', 1), rest = split_part(full_name, ' ', 2);
            -- lockkeeper: back UPDATE users SET full_name = first || ' ' || rest
            DROP VIEW loud_names; DROP VIEW names;
            ALTER TABLE users DROP COLUMN full_name;
            CREATE VIEW names AS SELECT id, first || ' ' || rest AS full_name FROM users;
            CREATE VIEW loud_names AS SELECT id, upper(full_name) AS loud FROM names;
            GRANT SELECT ON names TO PUBLIC;",
        releases: &[OLD, KNOWS_PARTS],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "a changed type that the same migration uses",
        schema: SCHEMA,
        migration: "ALTER TABLE posts ALTER COLUMN likes TYPE text USING likes::text;
            ALTER TABLE posts ADD CONSTRAINT posts_likes CHECK (likes <> 'many');
            UPDATE posts SET likes = likes || '0' WHERE id = 3;
            CREATE INDEX posts_likes ON posts (lower(likes));",
        releases: &[READS_POSTS, READS_POSTS, READS_POSTS],
        touched: &["likes"],
        restore: Some("SELECT 1"),
        since: 12,
        ..Fixture::PLAIN
    },
    Fixture {
        name: "a type that means something else, under a view",
        schema: SCHEMA,
        migration: "DROP VIEW balances; ALTER TABLE users ALTER COLUMN balance TYPE numeric(20, 2) USING balance / 100.0;
            -- lockkeeper: back UPDATE users SET balance = (balance * 100)::bigint
            CREATE VIEW balances AS SELECT id, balance FROM users WHERE balance >= 0;
            GRANT SELECT ON balances TO PUBLIC;",
        releases: &[OLD, KNOWS_CENTS],
        ..Fixture::PLAIN
    },
    Fixture {
        name: "six statements on three tables",
        schema: SCHEMA,
        migration: "ALTER TABLE users RENAME COLUMN email TO mail;
            ALTER TABLE users ADD COLUMN slug text;
            UPDATE users SET slug = lower(full_name);
            ALTER TABLE users ALTER COLUMN slug SET NOT NULL;
            UPDATE posts SET body = '' WHERE body IS NULL;
            ALTER TABLE posts ALTER COLUMN body SET NOT NULL;
            ALTER TABLE posts ALTER COLUMN likes TYPE bigint;
            CREATE INDEX posts_user ON posts (user_id);
            ALTER TABLE memberships ADD CONSTRAINT memberships_org CHECK (org_id > 0);",
        // What was filled stays filled on the way back.
        restore: Some("SELECT 1"),
        touched: &["body"],
        releases: &[OLD, KNOWS_ALL],
        ..Fixture::PLAIN
    },
];

#[test]
fn whole_migrations_survive_the_traffic_between_their_files() {
    prove_whole(MIGRATIONS);
}
