//! Recipes for what several statements mean together.

use super::*;

const PEOPLE: &str =
    "CREATE TABLE people (id int PRIMARY KEY, name text NOT NULL, year int, month int, nick text UNIQUE);
    CREATE INDEX people_name ON people (lower(name)); CREATE VIEW nicks AS SELECT nick FROM people;";

const SPLIT: &str = "ALTER TABLE people ADD COLUMN first text NOT NULL DEFAULT '', ADD last text;
    SET lock_timeout = '1s'; CREATE TABLE apart (id int);
    UPDATE people p SET (first, last) = (split_part(p.name, ' ', 1), nullif(split_part(name, ' ', 2), ''));
    ALTER TABLE people DROP COLUMN name;";

#[test]
fn columns_are_split_and_merged() {
    let back =
        "ALTER TABLE people ADD COLUMN name text; UPDATE people SET name = concat_ws(' ', first, last)";
    let merge = "ALTER TABLE people ADD COLUMN born text; UPDATE people SET born = year || '-' || month WHERE month > 0;
        ALTER TABLE people ALTER COLUMN born SET NOT NULL; ALTER TABLE people DROP COLUMN month, DROP year;";
    for major in [12, 15, 18] {
        let target = Target::postgres(Version::major(major));
        let mut before = Catalog::empty(Dialect::Postgres);
        replay(part(PEOPLE), &target, &mut before);
        let split = SPLIT.replace("CREATE TABLE apart (id int);", "").replace("SET lock_timeout = '1s';", "");
        prove_back(&split, back, &target, &before, Way::Triggers);
        prove_back(&split, "", &target, &before, Way::Application);
        prove_back(merge, "", &target, &before, Way::Application);
    }
}

/// What stands between its statements and has nothing to do with them comes behind.
#[test]
fn a_group_leaves_out_what_stands_apart() {
    let target = Target::postgres(Version::major(15));
    let mut before = Catalog::empty(Dialect::Postgres);
    replay(part(PEOPLE), &target, &mut before);
    let members = |change: &str| {
        let operations = operations(change);
        let scene = scene(change, "", &target, &before);
        group(&operations.iter().collect::<Vec<_>>(), &scene).map(|group| group.members)
    };
    assert_eq!(members(SPLIT), Some(vec![0, 1, 4, 5]));
    let using = SPLIT.replace("CREATE TABLE apart (id int)", "CREATE VIEW v AS SELECT first FROM people");
    assert_eq!(members(&using), None, "the view between needs the column");
    let unread = SPLIT.replace("DROP COLUMN name", "DROP COLUMN year");
    assert_eq!(members(&unread), None, "nothing is computed from what goes");
}

#[test]
fn columns_that_cannot_be_replaced_are_refused_in_words() {
    let target = Target::postgres(Version::major(15));
    let mut before = Catalog::empty(Dialect::Postgres);
    replay(part(PEOPLE), &target, &mut before);
    let replace = |column: &str, value: &str, old: &str| {
        format!(
            "ALTER TABLE people ADD {column}; UPDATE people SET a = {value}; ALTER TABLE people DROP {old}"
        )
    };
    for (change, reason) in [
        (replace("a text", "name", "name"), "-- lockkeeper: back UPDATE people SET name = "),
        (replace("a text UNIQUE", "name", "name"), "with constraints of its own"),
        (replace("a text", "name || now()", "name"), "differs from one moment to the next"),
        (replace("a text", "nick", "nick"), "the view nicks reads nick, which goes"),
        (replace("a int", "id", "id"), "is in the primary key"),
    ] {
        let way = if reason.starts_with("--") { Way::Triggers } else { Way::Application };
        let refusal = written(&change, &target, &before, way).expect_err(&change);
        assert!(refusal.reason.contains(reason), "{change}: {}", refusal.reason);
    }
}

const MEMBERS: &str = "CREATE TABLE members (id int PRIMARY KEY, email text);
    CREATE TABLE profiles (member_id int PRIMARY KEY REFERENCES members, bio text NOT NULL DEFAULT '', seen int, lang text NOT NULL);
    CREATE TABLE invoices (id int PRIMARY KEY, member_id int REFERENCES members (id), code text);
    CREATE TABLE parcels (id int PRIMARY KEY, member_id int REFERENCES members (id)); CREATE INDEX ON invoices (member_id);
    CREATE TABLE days (id int, member_id int REFERENCES members) PARTITION BY RANGE (id);
    CREATE INDEX profiles_bio ON profiles (bio);";

const MOVE: &str = "ALTER TABLE members ADD bio text NOT NULL DEFAULT '';
    UPDATE members m SET bio = p.bio FROM profiles p WHERE p.member_id = m.id;
    ALTER TABLE profiles DROP COLUMN bio;";

#[test]
fn columns_are_moved_and_copied_between_tables() {
    let copy = "ALTER TABLE invoices ADD email text;
        UPDATE invoices SET email = (SELECT email FROM members m WHERE m.id = invoices.member_id);";
    for major in [12, 15, 18] {
        let target = Target::postgres(Version::major(major));
        let mut before = Catalog::empty(Dialect::Postgres);
        replay(part(MEMBERS), &target, &mut before);
        for way in [Way::Triggers, Way::Application] {
            prove(MOVE, &target, &before, way);
            prove(copy, &target, &before, way);
        }
    }
}

#[test]
fn columns_that_cannot_be_moved_are_refused_in_words() {
    let target = Target::postgres(Version::major(15));
    let mut before = Catalog::empty(Dialect::Postgres);
    replay(part(MEMBERS), &target, &mut before);
    let copied = |from: &str| {
        format!(
            "ALTER TABLE invoices ADD a text; UPDATE invoices SET a = x.code FROM {from}; ALTER TABLE members DROP code"
        )
    };
    let merged = |columns: &str| {
        format!(
            "ALTER TABLE members ADD bio text, ADD lang text; UPDATE members SET {columns} FROM profiles p WHERE p.member_id = id; DROP TABLE profiles"
        )
    };
    for (change, reason) in [
        (copied("members x WHERE x.id > member_id"), "by columns that are equal, and by nothing else"),
        (copied("members x WHERE x.email = invoices.code"), "no unique key stands on email"),
        (copied("members x WHERE x.id = invoices.id"), "no foreign key stands between"),
        (copied("members x WHERE x.id = member_id").replace("invoices", "parcels"), "no index of parcels begins with member_id"),
        (copied("members x WHERE x.id = member_id").replace("invoices", "days"), "days is partitioned or inherited"),
        (MOVE.replace("bio = p.bio", "bio = upper(p.bio)"), "bio is not copied as it is"),
        (
            "ALTER TABLE invoices ADD email text; UPDATE invoices i SET email = m.email FROM members m WHERE m.id = i.member_id;
                ALTER TABLE members DROP email"
                .to_owned(),
            "several rows of invoices may have the same of members",
        ),
        (merged("(bio, lang) = (p.bio, p.lang)"), "refuses NULL in lang and has no default for it"),
        (merged("(bio, lang) = (p.bio, 'x')"), "needs lang, which is not copied"),
    ] {
        let refusal = written(&change, &target, &before, Way::Triggers).expect_err(&change);
        assert!(refusal.reason.contains(reason), "{change}: {}", refusal.reason);
    }
}

const SPLIT_TABLE: &str =
    "CREATE TABLE bios (id serial PRIMARY KEY, member int UNIQUE REFERENCES members, bio text NOT NULL DEFAULT '', lang text);
    INSERT INTO bios (member, bio, lang) SELECT p.member_id, bio, p.lang FROM profiles p;
    ALTER TABLE profiles DROP COLUMN lang, DROP COLUMN bio;";

#[test]
fn tables_are_split() {
    for major in [12, 15, 18] {
        let target = Target::postgres(Version::major(major));
        let mut before = Catalog::empty(Dialect::Postgres);
        replay(part(MEMBERS), &target, &mut before);
        for way in [Way::Triggers, Way::Application] {
            prove(SPLIT_TABLE, &target, &before, way);
        }
    }
}

#[test]
fn tables_that_cannot_be_split_are_refused_in_words() {
    let target = Target::postgres(Version::major(15));
    let mut before = Catalog::empty(Dialect::Postgres);
    replay(part(MEMBERS), &target, &mut before);
    for (from, to, reason) in [
        ("member int UNIQUE", "member int", "nothing tells which row of bios belongs to one of profiles"),
        ("p.member_id, bio", "p.member_id + 1, bio", "nothing tells which row of bios"),
        (
            "bio, p.lang FROM",
            "bio, p.lang || now() FROM",
            "lang gets a value that differs from one moment to the next",
        ),
        ("bio, p.lang FROM", "upper(bio), p.lang FROM", "bio is not copied as it is"),
    ] {
        let change = SPLIT_TABLE.replace(from, to);
        let refusal = written(&change, &target, &before, Way::Triggers).expect_err(&change);
        assert!(refusal.reason.contains(reason), "{change}: {}", refusal.reason);
    }
}

/// What several statements mean together has precautions too: without one, some rule must notice.
#[test]
fn a_precaution_taken_from_several_is_noticed() {
    let target = Target::postgres(Version::major(15));
    let split = SPLIT.replace("CREATE TABLE apart (id int);", "").replace("SET lock_timeout = '1s';", "");
    let mut count = 0;
    for (schema, change) in [(PEOPLE, split.as_str()), (MEMBERS, MOVE), (MEMBERS, SPLIT_TABLE)] {
        let mut before = Catalog::empty(Dialect::Postgres);
        replay(part(schema), &target, &mut before);
        let phases = written(change, &target, &before, Way::Application).expect("is possible here");
        count += assert_precautions_are_noticed(change, &phases, &target, &before);
    }
    assert!(count > 10, "{count} mutants");
}

const LOGGED: &str =
    "CREATE TABLE events (id bigserial PRIMARY KEY, at timestamptz NOT NULL, kind text, amount int CHECK (amount > 0));
    CREATE INDEX events_at ON events (at);
    CREATE TABLE kinds (kind text PRIMARY KEY);";

/// Beside the table under a name of its own.
const PARTITION: &str =
    "CREATE TABLE events_new (id bigint NOT NULL DEFAULT nextval('events_id_seq'), at timestamptz NOT NULL, kind text REFERENCES kinds,
        amount int CHECK (amount > 0), PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
    CREATE TABLE events_2025 PARTITION OF events_new FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    CREATE TABLE events_rest (LIKE events_new INCLUDING ALL);
    ALTER TABLE events_new ATTACH PARTITION events_rest DEFAULT;
    CREATE INDEX ON events_new (kind);
    INSERT INTO events_new SELECT * FROM events;
    ALTER SEQUENCE events_id_seq OWNED BY events_new.id;
    DROP TABLE events;
    ALTER TABLE events_new RENAME TO events;";

/// Under its name, once the old table has another.
const PARTITION_ASIDE: &str = "ALTER TABLE events RENAME TO events_old;
    CREATE TABLE events (LIKE events_old INCLUDING DEFAULTS, PRIMARY KEY (at, id), FOREIGN KEY (kind) REFERENCES kinds) PARTITION BY RANGE (at);
    CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    CREATE INDEX ON events (kind);
    INSERT INTO events (id, at, kind, amount) SELECT id, at, kind, amount FROM events_old;";

#[test]
fn tables_are_partitioned() {
    for major in [12, 15, 18] {
        let target = Target::postgres(Version::major(major));
        let mut before = Catalog::empty(Dialect::Postgres);
        replay(part(LOGGED), &target, &mut before);
        prove(PARTITION, &target, &before, Way::Triggers);
        prove(PARTITION_ASIDE, &target, &before, Way::Triggers);
        let plain = PARTITION_ASIDE.replace(" PARTITION BY RANGE (at)", "");
        let plain = plain.replace(
            "CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');",
            "",
        );
        prove(&plain, &target, &before, Way::Triggers);
    }
}

/// What stands between and is no part of it would be carried out behind, or lost.
#[test]
fn tables_that_cannot_be_partitioned_are_refused_in_words() {
    let target = Target::postgres(Version::major(15));
    let refused = |schema: &str, change: &str, reason: &str| {
        let mut before = Catalog::empty(Dialect::Postgres);
        replay(part(&format!("{LOGGED} {schema}")), &target, &mut before);
        let refusal = written(change, &target, &before, Way::Triggers).expect_err(reason);
        assert!(refusal.reason.contains(reason), "{change}: {}", refusal.reason);
    };
    for (from, to, reason) in [
        ("FROM events;", "FROM events WHERE at > '2025-01-01';", "is not copied whole"),
        ("SELECT * FROM", "SELECT id, at, upper(kind), amount FROM", "computed (upper"),
        ("SELECT * FROM", "SELECT id, at, kind FROM", "is not copied whole"),
        ("(id, at))", "(at))", "no key that holds the old one"),
        ("amount int", "amount text", "has amount of the type integer"),
        ("DROP TABLE events;", "DROP TABLE events CASCADE;", "dropped with CASCADE"),
        ("DROP TABLE", "DO $$ BEGIN END $$; DROP TABLE", "one that is no part of that: DO"),
        ("DROP TABLE", "UPDATE events_new SET amount = 1; DROP TABLE", "no part of that: UPDATE"),
        ("ALTER SEQUENCE events_id_seq OWNED BY events_new.id;", "", "owns the sequence events_id_seq"),
        (
            "id bigint NOT NULL DEFAULT nextval('events_id_seq')",
            "id bigint GENERATED ALWAYS AS IDENTITY",
            "needs PostgreSQL 17",
        ),
    ] {
        refused("", &PARTITION.replace(from, to), reason);
    }
    for (schema, reason) in [
        ("CREATE TABLE notes (event bigint REFERENCES events);", "is what the foreign key notes_event_fkey"),
        ("CREATE VIEW v AS SELECT id FROM events;", "is read by the view v"),
        ("ALTER TABLE events ALTER COLUMN at DROP NOT NULL;", "may have NULL in at"),
        ("CREATE TABLE events_new (id int);", "has a neighbour named events_new"),
        (
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
             CREATE TRIGGER tr BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION f();",
            "has the trigger tr",
        ),
    ] {
        refused(schema, PARTITION, reason);
    }
    let bare = "CREATE TABLE b (LIKE events INCLUDING ALL) PARTITION BY HASH (id); INSERT INTO b SELECT * FROM events;
        ALTER TABLE events RENAME TO c; ALTER TABLE b RENAME TO events;";
    refused("", bare, "would have no partition");
}

/// The query names the bounds; a default partition takes what no other does.
#[test]
fn rows_that_no_partition_takes_are_counted_before() {
    let target = Target::postgres(Version::major(15));
    let mut before = Catalog::empty(Dialect::Postgres);
    replay(part(LOGGED), &target, &mut before);
    let counted = |change: &str| {
        let phases = written(change, &target, &before, Way::Triggers).expect("is possible");
        let query = phases[0].entry.iter().filter_map(|it| it.query.clone()).find(|it| it.contains("_row"));
        query.map(|it| it.split(" WHERE ").last().unwrap_or_default().to_owned())
    };
    let all = "(amount > 0) IS FALSE";
    assert_eq!(counted(PARTITION).as_deref(), Some(all));
    let bounds = "((at IS NOT NULL AND at >= '2025-01-01' AND at < '2026-01-01')) IS NOT TRUE";
    assert_eq!(counted(PARTITION_ASIDE).as_deref(), Some(bounds));
}

/// Taken one by one they would lose what is written to the table between the copy and its end.
#[test]
fn a_table_that_is_merged_into_another_is_refused_in_words() {
    let target = Target::postgres(Version::major(15));
    let mut before = Catalog::empty(Dialect::Postgres);
    replay(part(LOGGED), &target, &mut before);
    before.start_migration();
    let change =
        "INSERT INTO kinds SELECT DISTINCT kind FROM events; UPDATE kinds SET kind = 'x'; DROP TABLE events";
    let refusal = written(change, &target, &before, Way::Triggers).expect_err("rows would be lost");
    assert!(refusal.reason.contains("after the copy would be lost"), "{}", refusal.reason);
    let apart = "INSERT INTO kinds SELECT DISTINCT kind FROM events; DROP TABLE apart";
    let operations = operations(apart);
    let scene = scene(apart, "", &target, &before);
    assert!(group(&operations.iter().collect::<Vec<_>>(), &scene).is_none());
}

const PARTIES: &str = "CREATE TABLE levels (id int PRIMARY KEY);
    CREATE TABLE customers (id serial UNIQUE, email text PRIMARY KEY, name varchar(40) NOT NULL CHECK (name <> ''), level int REFERENCES levels);
    CREATE INDEX ON customers (level);
    CREATE TABLE parties (kind text NOT NULL, email text NOT NULL, called varchar(40) NOT NULL, level int, more text DEFAULT 'm', PRIMARY KEY (kind, email));
    CREATE TABLE people (number int PRIMARY KEY, email text NOT NULL UNIQUE, called varchar(40) NOT NULL, level int);";

const MERGED: &str = "INSERT INTO parties (kind, email, called, level) SELECT 'customer', email, c.name, level FROM customers AS c; \
     DROP TABLE customers";

#[test]
fn the_rows_of_a_table_go_to_another() {
    for major in [12, 15, 18] {
        let target = Target::postgres(Version::major(major));
        let mut before = Catalog::empty(Dialect::Postgres);
        replay(part(PARTIES), &target, &mut before);
        before.start_migration();
        for way in [Way::Triggers, Way::Application] {
            prove(MERGED, &target, &before, way);
            let phases = written(MERGED, &target, &before, way).expect("is possible");
            assert_eq!(keep_in_step(&phases), way == Way::Triggers);
        }
    }
}

#[test]
fn rows_that_cannot_be_told_or_kept_in_step_are_not_merged() {
    let target = Target::postgres(Version::major(15));
    for (schema, change, reason) in [
        ("", ("FROM customers AS c", "FROM customers AS c WHERE level > 3"), "all copied, one by one"),
        ("", ("DROP TABLE", "UPDATE parties SET level = 5; DROP TABLE"), "what stands between"),
        ("", ("email, c.name", "lower(email), c.name"), "email is not copied as it is"),
        ("", ("'customer'", "NULL"), "kind is not copied as it is"),
        ("", ("(kind, email, called", "(more, email, called"), "nothing tells which rows belong together"),
        (
            "CREATE TABLE c (customer text REFERENCES customers);",
            ("", ""),
            "the foreign key c_customer_fkey of c points at it",
        ),
        ("ALTER TABLE parties ALTER called TYPE text;", ("", ""), "do not take the same values"),
        ("ALTER TABLE customers ALTER level SET NOT NULL;", ("", ""), "do not take the same values"),
        ("ALTER TABLE customers ADD born date NOT NULL;", ("", ""), "needs born, which is not copied"),
        (
            "",
            (
                "parties (kind, email, called, level) SELECT 'customer', email",
                "people (email, called, level) SELECT email",
            ),
            "fill a column of people",
        ),
        (
            "",
            (
                "parties (kind, email, called, level) SELECT 'customer', email",
                "people (number, called, level) SELECT id",
            ),
            "do not draw from one sequence",
        ),
    ] {
        let mut before = Catalog::empty(Dialect::Postgres);
        replay(part(&format!("{PARTIES} {schema}")), &target, &mut before);
        before.start_migration();
        let change = MERGED.replace(change.0, change.1);
        let refusal = written(&change, &target, &before, Way::Triggers).expect_err(reason);
        assert!(refusal.reason.contains(reason), "{change}: {}", refusal.reason);
    }
}

const INDEXED: &str = "CREATE TABLE t (id int PRIMARY KEY, a int, b text); CREATE INDEX t_a ON t (a); CREATE UNIQUE INDEX t_b ON t (b);
    CREATE TABLE other (a int);";

#[test]
fn an_index_is_replaced_before_it_goes() {
    for major in [11, 12, 15, 18] {
        let target = Target::postgres(Version::major(major));
        let mut before = Catalog::empty(Dialect::Postgres);
        replay(part(INDEXED), &target, &mut before);
        for change in [
            "DROP INDEX t_a; CREATE INDEX t_a ON t (a, id) INCLUDE (b) WHERE a > 3",
            "DROP INDEX t_a; CREATE INDEX t_a_id ON t (a, id)",
            "DROP INDEX t_b; CREATE UNIQUE INDEX t_b ON t (lower(b), b)",
            "DROP INDEX t_b; CREATE INDEX ON t (b)",
            "REINDEX INDEX t_a",
        ] {
            prove(change, &target, &before, Way::Triggers);
            let phases = written(change, &target, &before, Way::Triggers).expect("is possible");
            let first = phases.iter().flat_map(Phase::migrations).next().expect("there is a step");
            assert!(first.up().contains("INDEX CONCURRENTLY"), "{}", first.up());
            assert!(!first.up().contains("DROP"), "{change}: {}", first.up());
        }
        let table = written("REINDEX TABLE t", &target, &before, Way::Triggers);
        assert_eq!(table.is_ok(), major >= 12);
    }
    let target = Target::postgres(Version::major(15));
    let mut before = Catalog::empty(Dialect::Postgres);
    replay(part(INDEXED), &target, &mut before);
    for apart in [
        "DROP INDEX t_a; CREATE INDEX t_a ON other (a)",
        "DROP INDEX t_a; ALTER TABLE t RENAME a TO c; CREATE INDEX t_a ON t (c)",
        "DROP INDEX t_a CASCADE; CREATE INDEX t_a ON t (a)",
    ] {
        let operations = operations(apart);
        let scene = scene(apart, "", &target, &before);
        assert!(group(&operations.iter().collect::<Vec<_>>(), &scene).is_none(), "{apart}");
    }
}
