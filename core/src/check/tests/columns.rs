//! Names of columns are looked up wherever a statement says them (42703, 42701 and 42601 on 11, 15 and 18).

use super::{fails, runs};
use crate::catalog::Catalog;
use crate::check::{Part, replay};
use crate::dialect::{Dialect, Target};
use crate::framework::Transaction;
use crate::text::Span;

const POSTS: &str = "CREATE TYPE comp AS (x int);
    CREATE TABLE posts (id serial PRIMARY KEY, title varchar(255), n int, tags int[], at timestamptz, js jsonb, c comp);
    CREATE TABLE kids (id int, post_id int);
    CREATE TABLE copied AS SELECT * FROM posts;
    CREATE FUNCTION shown(posts) RETURNS text LANGUAGE sql AS 'SELECT $1.title';";

#[track_caller]
fn misses(text: &str) {
    fails(POSTS, text, "column nope of posts does not exist");
}

#[test]
fn an_index_is_on_columns_that_there_are() {
    misses("CREATE INDEX CONCURRENTLY posts_made ON posts (nope);");
    misses("CREATE UNIQUE INDEX ON posts (title, nope DESC);");
    misses("CREATE INDEX ON posts (lower(nope));");
    misses("CREATE INDEX ON posts (title) WHERE nope IS NULL;");
    misses("CREATE INDEX ON posts (title) INCLUDE (nope);");
    runs(
        POSTS,
        "CREATE INDEX ON posts ((js ->> 'a')); CREATE INDEX ON posts ((extract(epoch FROM at AT TIME ZONE 'utc')));",
    );
    runs(
        POSTS,
        "CREATE INDEX ON posts (title varchar_pattern_ops DESC NULLS LAST); CREATE INDEX ON posts (((c).x));",
    );
    runs(POSTS, "CREATE INDEX ON posts ((posts.title || 'x')) WHERE n > 1 AND tags[1] = 2;");
    runs(POSTS, "CREATE INDEX ON copied (title); CREATE INDEX ON copied (nope);");
}

#[test]
fn constraints_are_on_columns_that_there_are() {
    misses("ALTER TABLE posts ADD CHECK (nope > 1);");
    misses("ALTER TABLE posts ADD UNIQUE (nope);");
    fails(
        POSTS,
        "ALTER TABLE kids ADD FOREIGN KEY (nope) REFERENCES posts;",
        "column nope of kids does not exist",
    );
    runs(
        POSTS,
        "ALTER TABLE posts ADD CHECK (n > 1 AND posts.title IS NOT NULL AND posts IS NOT NULL AND title <> current_user);",
    );
    runs(POSTS, "ALTER TABLE posts ADD CHECK (nope > 1), ADD nope int;");
    for (table, column) in [
        ("k (a int, CHECK (b > 0))", "b"),
        ("k (a int, PRIMARY KEY (b))", "b"),
        ("k (a int, UNIQUE (a, b))", "b"),
        ("k (a int, b int GENERATED ALWAYS AS (c * 2) STORED)", "c"),
        ("k (a int) PARTITION BY RANGE (b)", "b"),
    ] {
        fails("", &format!("CREATE TABLE {table};"), &format!("column {column} of k does not exist"));
    }
    fails("", "CREATE TABLE k (a int, a text);", "column a stands there twice");
    runs(
        POSTS,
        "CREATE TABLE k (LIKE posts, CHECK (n > 0)); CREATE TABLE l (a int, b int CHECK (b > a), UNIQUE (b, a));",
    );
}

#[test]
fn rows_are_changed_in_columns_that_there_are() {
    misses("INSERT INTO posts (title, nope) VALUES ('a', 1);");
    misses("UPDATE posts SET nope = 1;");
    misses("UPDATE posts SET title = nope;");
    misses("UPDATE posts p SET title = 'a' WHERE p.nope = 1;");
    misses("DELETE FROM posts WHERE nope = 1;");
    misses("INSERT INTO kids SELECT id, nope FROM posts;");
    fails(POSTS, "INSERT INTO posts (title, title) VALUES ('a', 'b');", "column title is named twice");
    fails(POSTS, "UPDATE posts SET n = 1, n = 2;", "column n gets two values");
    runs(
        POSTS,
        "UPDATE posts p SET title = DEFAULT WHERE p.id = 1 AND p IS NOT NULL; UPDATE posts SET tags[1] = 5, tags[2] = 6, c.x = 5;",
    );
    runs(POSTS, "DELETE FROM posts WHERE ctid = '(0,1)' AND tableoid IS NOT NULL AND posts.shown = 'a';");
    runs(
        POSTS,
        "UPDATE posts SET n = k.post_id FROM kids k WHERE k.id = posts.id; DELETE FROM posts USING kids WHERE post_id = 1;",
    );
    runs(POSTS, "UPDATE posts SET n = (SELECT max(post_id) FROM kids WHERE post_id = posts.id);");
}

#[test]
fn views_triggers_and_comments_name_columns_that_there_are() {
    misses("CREATE VIEW v AS SELECT nope FROM posts;");
    misses("CREATE MATERIALIZED VIEW v AS SELECT id, nope FROM posts;");
    misses("CREATE TABLE k AS SELECT nope FROM posts;");
    misses(
        "CREATE TRIGGER t BEFORE UPDATE OF nope ON posts FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();",
    );
    misses("COMMENT ON COLUMN posts.nope IS 'x';");
    runs(
        POSTS,
        "CREATE VIEW v AS SELECT p.id, k.post_id AS nope FROM posts p JOIN kids k ON k.post_id = p.id ORDER BY nope;",
    );
    runs(POSTS, "CREATE VIEW v AS SELECT n FROM posts; COMMENT ON COLUMN v.n IS 'x';");
}

/// What the server refused is not there afterwards.
#[test]
fn a_refused_index_is_not_in_the_schema() {
    let mut after = Catalog::empty(Dialect::Postgres);
    let text = format!("{POSTS} CREATE INDEX by_nope ON posts (nope);");
    let part = Part { text: &text, span: Span::new(0, text.len()), transaction: Transaction::Autocommit };
    replay(part, &Target::default(), &mut after);
    assert!(after.relations().all(|(name, _)| &*name.name != "by_nope"));
}
