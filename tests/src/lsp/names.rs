//! Names: where they are from, who uses them, and what may be typed in their place.

use super::session::{RENAME, Session, list, plain, text, vs_code};
use serde_json::{Value, json};

const USERS: &str = "db/migrations/20250310091500_create_users.sql";
const ORDERS: &str = "db/migrations/20250310092200_create_orders.sql";
const INDEX: &str = "db/migrations/20250402140500_index_orders_by_user.sql";
const VIEW: &str = "db/migrations/20250611080000_create_customer_totals.sql";

/// The place of the `|` in a migration that runs last.
fn open_at(session: &mut Session, sql: &str) -> (&'static str, Value) {
    let before = &sql[..sql.find('|').expect("a cursor")];
    let line = before.matches('\n').count() + 1;
    let character = before.rsplit('\n').next().map_or(0, |it| it.chars().count());
    (session.open_last(&sql.replace('|', "")), json!({"line": line, "character": character}))
}

/// File and line from 1 of a place.
fn place(session: &Session, location: &Value) -> String {
    let file = text(&location["uri"])
        .strip_prefix(&format!("{}/", session.uri("")))
        .unwrap_or_else(|| text(&location["uri"]));
    let file = file.trim_start_matches(&session.uri("")).trim_start_matches('/').to_owned();
    format!("{file}:{}", location["range"]["start"]["line"].as_u64().map_or(0, |it| it + 1))
}

#[track_caller]
fn leads(method: &str, sql: &str, expected: Option<(&str, u64)>) {
    let mut session = Session::start(plain());
    let (path, at) = open_at(&mut session, sql);
    let found = session.ask(method, path, json!({"position": at}));
    let found = (!found.is_null()).then(|| place(&session, &found));
    assert_eq!(found, expected.map(|(file, line)| format!("{file}:{line}")), "{sql}");
}

#[test]
fn a_definition_is_the_migration_that_made_it() {
    let definition = "textDocument/definition";
    leads(definition, "ALTER TABLE us|ers ADD COLUMN a int;", Some((USERS, 2)));
    leads(definition, "ALTER TABLE orders DROP COLUMN sta|tus;", Some((ORDERS, 5)));
    leads(definition, "DROP INDEX orders_user_id|_placed_at;", Some((INDEX, 2)));
    leads(definition, "DROP VIEW customer_totals|;", Some((VIEW, 2)));
    // Names that the server gave.
    leads(definition, "ALTER TABLE users DROP CONSTRAINT users_email|_key;", Some((USERS, 2)));
    // Through aliases, in a query, of a column that was renamed.
    leads(
        definition,
        "UPDATE orders o SET status = u.full|_name FROM users u WHERE u.id = o.user_id;",
        Some((USERS, 5)),
    );
    leads(definition, "SELECT 1 FROM no|body;", None);
    leads(
        definition,
        "CREATE TYPE mood AS ENUM ('a');\nALTER TABLE users ADD COLUMN m mo|od;",
        Some(("db/migrations/20270101000000_last.sql", 2)),
    );
}

#[test]
fn a_declaration_is_the_migration_that_last_changed_it() {
    leads("textDocument/declaration", "DROP TABLE us|ers;", Some((RENAME, 2)));
    leads("textDocument/declaration", "ALTER TABLE orders DROP COLUMN sta|tus;", Some((ORDERS, 5)));
}

/// An earlier migration that is being edited counts as it is now.
#[test]
fn a_definition_in_an_edited_file_is_where_it_is_now() {
    let mut session = Session::start(plain());
    let edited = format!("-- one line more\n{}", session.text(ORDERS));
    session.open(ORDERS, &edited);
    let (path, at) = open_at(&mut session, "ALTER TABLE orders DROP COLUMN sta|tus;");
    let found = session.ask("textDocument/definition", path, json!({"position": at}));
    assert_eq!(place(&session, &found), format!("{ORDERS}:6"));
}

#[test]
fn references_are_in_migrations_and_programs() {
    let mut session = Session::start(plain());
    session.open_rename();
    let at = json!({"line": 1, "character": 34});
    let params = json!({"position": at, "context": {"includeDeclaration": true}});
    let found = list(&session.ask("textDocument/references", RENAME, params));
    let places: Vec<String> = found.iter().map(|it| place(&session, it)).collect();
    for expected in
        [format!("{USERS}:5"), format!("{RENAME}:2"), format!("{RENAME}:5"), "src/users.ts:12".to_owned()]
    {
        assert!(places.contains(&expected), "{expected} is not in {places:?}");
    }
    let params = json!({"position": at, "context": {"includeDeclaration": false}});
    let others = list(&session.ask("textDocument/references", RENAME, params));
    assert_eq!(others.len() + 1, found.len());
    let marks = list(&session.ask("textDocument/documentHighlight", RENAME, json!({"position": at})));
    let lines: Vec<u64> = marks.iter().filter_map(|it| it["range"]["start"]["line"].as_u64()).collect();
    assert_eq!(lines, [1, 4]);
}

#[test]
fn a_hover_tells_of_the_name() {
    let mut session = Session::start(plain());
    let (path, at) = open_at(&mut session, "CREATE INDEX CONCURRENTLY i ON users (full|_name);");
    let hover = session.ask("textDocument/hover", path, json!({"position": at}));
    let words = text(&hover["contents"]["value"]);
    for part in [
        "**column** `users.full_name` `text NOT NULL`",
        "Used by `i`, `customer_totals`",
        "last changed in [20260114100000\\_rename\\_user\\_name.sql](",
    ] {
        assert!(words.contains(part), "{part} is not in:\n{words}");
    }
}

#[track_caller]
fn offers(sql: &str, expected: &[&str], never: &[&str]) {
    let mut session = Session::start(vs_code());
    let (path, at) = open_at(&mut session, sql);
    let found = session.ask("textDocument/completion", path, json!({"position": at}));
    let items = if found.is_array() { list(&found) } else { list(&found["items"]) };
    let labels: Vec<&str> = items.iter().map(|it| text(&it["label"])).collect();
    let missing: Vec<&&str> = expected.iter().filter(|it| !labels.contains(it)).collect();
    let wrong: Vec<&&str> = never.iter().filter(|it| labels.contains(it)).collect();
    assert!(missing.is_empty() && wrong.is_empty(), "{sql}: without {missing:?}, with {wrong:?}: {labels:?}");
}

#[test]
fn what_may_stand_at_the_cursor_is_offered() {
    offers("ALTER TABLE us|", &["users"], &["orders", "full_name"]);
    offers("ALTER TABLE |", &["users", "orders", "customer_totals"], &["email"]);
    offers("ALTER TABLE users DROP COLUMN |", &["email", "full_name", "locale"], &["name", "status"]);
    offers("SELECT o.| FROM orders o JOIN users u ON true;", &["status", "placed_at"], &["email", "orders"]);
    offers("ALTER TABLE users ALTER COLUMN email TYPE var|;", &["varchar"], &["users"]);
    offers("CREATE TYPE mood AS ENUM ('a');\nALTER TABLE users ADD COLUMN m m|;", &["mood"], &["email"]);
    offers("ALTER TABLE users DROP CONSTRAINT |;", &["users_email_key", "users_pkey"], &["email"]);
    offers("-- lockkeeper: allow |", &["blocking-index-build", "unread"], &["users"]);
    offers("-- lockkeeper: |", &["allow", "back"], &[]);
    offers("-- plain words |", &[], &["users", "allow"]);
}

/// A list that pops up at each space of a query would be in the way.
#[test]
fn a_space_offers_only_what_must_come() {
    let mut session = Session::start(plain());
    let mut typed = |sql: &str| {
        let (path, at) = open_at(&mut session, sql);
        let context = json!({"triggerKind": 2, "triggerCharacter": " "});
        !session.ask("textDocument/completion", path, json!({"position": at, "context": context})).is_null()
    };
    assert!(typed("DROP TABLE |;") && typed("-- lockkeeper: allow |"));
    assert!(!typed("SELECT 1 |;") && !typed("-- words |"));
}

#[test]
fn symbols_of_the_workspace_lead_to_where_they_are_made() {
    let mut session = Session::start(plain());
    session.open_rename();
    session.diagnostics(RENAME);
    let found =
        list(&session.client.request("workspace/symbol", json!({"query": "ORDER"}))["result"].clone());
    let places: Vec<String> = found
        .iter()
        .map(|it| format!("{} {}", text(&it["name"]), place(&session, &it["location"])))
        .collect();
    for expected in [
        format!("orders {ORDERS}:2"),
        format!("order_items {ORDERS}:9"),
        format!("orders_user_id_placed_at {INDEX}:2"),
    ] {
        assert!(places.contains(&expected), "{expected} is not in {places:?}");
    }
    assert!(!places.iter().any(|it| it.starts_with("users ")), "{places:?}");
}

#[test]
fn a_migration_says_its_verdict_on_its_first_line() {
    let mut session = Session::start(plain());
    let last =
        session.open_last("SET lock_timeout = '2s';\nDROP TABLE orders;\nCREATE INDEX i ON users (locale);");
    let lenses = list(&session.ask("textDocument/codeLens", last, json!({})));
    assert!(text(&lenses[0]["command"]["title"]).starts_with("3 dangers"), "{lenses:#?}");
}

/// The edit of a rename, as files with their texts, or why it is refused.
fn renamed(
    session: &mut Session,
    path: &str,
    at: &Value,
    new: &str,
) -> Result<Vec<(String, String)>, String> {
    let params = json!({"textDocument": {"uri": session.uri(path)}, "position": at, "newName": new});
    let answer = session.client.request("textDocument/rename", params);
    if let Some(error) = answer.get("error") {
        return Err(text(&error["message"]).to_owned());
    }
    let changes = list(&answer["result"]["documentChanges"]);
    let edits = changes.iter().filter(|it| it.get("kind").is_none());
    let of = |it: &Value| {
        let texts: String = list(&it["edits"]).iter().map(|it| text(&it["newText"]).to_owned()).collect();
        (text(&it["textDocument"]["uri"]).rsplit('/').next().unwrap_or_default().to_owned(), texts)
    };
    Ok(edits.map(of).collect())
}

/// A new name is a change of the schema: what has run somewhere is not edited.
#[test]
fn a_rename_becomes_a_migration() {
    let mut session = Session::start(vs_code());
    let users = session.text(USERS);
    session.open(USERS, &users);
    let email = json!({"line": 3, "character": 6});
    let prepared = session.ask("textDocument/prepareRename", USERS, json!({"position": email}));
    assert_eq!(prepared["placeholder"], "email", "{prepared:#}");
    let files = renamed(&mut session, USERS, &email, "Mail").expect("it is possible");
    assert_eq!(files.len(), 1, "{files:?}");
    assert!(files[0].0.ends_with("_rename_email_to_mail.sql"), "{files:?}");
    assert_eq!(
        files[0].1,
        "-- migrate:up\nALTER TABLE users RENAME COLUMN email TO \"Mail\";\n\n-- migrate:down\nALTER TABLE users RENAME COLUMN \"Mail\" TO email;\n"
    );
    assert_eq!(renamed(&mut session, USERS, &email, "locale"), Err("there is a locale already".to_owned()));
    let gone = renamed(&mut session, USERS, &json!({"line": 4, "character": 6}), "x");
    assert_eq!(gone, Err("name is not there any more when all migrations have run".to_owned()));
    assert!(renamed(&mut session, USERS, &email, "").is_err());
    // What this document makes is renamed in it.
    let (path, at) =
        open_at(&mut session, "CREATE TABLE cra|tes (id bigint);\nCREATE INDEX i ON crates (id);");
    assert_eq!(
        renamed(&mut session, path, &at, "boxes"),
        Ok(vec![("20270101000000_last.sql".to_owned(), "boxesboxes".to_owned())])
    );
    let mut session = Session::start(plain());
    session.open(USERS, &users);
    let refused = renamed(&mut session, USERS, &email, "mail");
    assert_eq!(
        refused,
        Err("write a new migration with: ALTER TABLE users RENAME COLUMN email TO mail;".to_owned())
    );
}

#[test]
fn names_are_coloured_by_what_they_stand_for() {
    let mut session = Session::start(plain());
    let last =
        session.open_last("ALTER TABLE users\n  DROP COLUMN locale;\nSELECT nobody FROM customer_totals;");
    let tokens = session.ask("textDocument/semanticTokens/full", last, json!({}))["data"].clone();
    // Lines and columns are told from the token before: a table, a column, a view.
    assert_eq!(tokens, json!([1, 12, 5, 0, 0, 1, 14, 6, 2, 0, 1, 19, 15, 1, 0]));
    let line = json!({"start": {"line": 3, "character": 0}, "end": {"line": 3, "character": 9}});
    let tokens =
        session.ask("textDocument/semanticTokens/range", last, json!({"range": line}))["data"].clone();
    assert_eq!(tokens, json!([3, 19, 15, 1, 0]));
}

#[test]
fn a_selection_grows_from_the_word_to_the_migration() {
    let mut session = Session::start(plain());
    let (path, at) = open_at(&mut session, "ALTER TABLE users DROP COLUMN loc|ale, DROP COLUMN email;");
    let ranges = list(&session.ask("textDocument/selectionRange", path, json!({"positions": [at]})));
    let mut found = Vec::new();
    let mut range = &ranges[0];
    while range.is_object() {
        let [start, end] = ["start", "end"].map(|it| {
            let place = &range["range"][it];
            format!("{}:{}", place["line"], place["character"])
        });
        found.push(format!("{start}-{end}"));
        range = &range["parent"];
    }
    assert_eq!(found[..2], ["1:30-1:36", "1:18-1:36"], "{found:?}");
    assert_eq!(found.last().map(String::as_str), Some("0:0-3:0"), "{found:?}");
}

#[test]
fn sources_of_an_untrusted_workspace_are_not_searched() {
    let mut session = Session::start_with(plain(), json!({"trusted": false}));
    session.open_rename();
    let at = json!({"line": 1, "character": 34});
    let params = json!({"position": at, "context": {"includeDeclaration": true}});
    let found = list(&session.ask("textDocument/references", RENAME, params));
    let places: Vec<String> = found.iter().map(|it| place(&session, it)).collect();
    assert!(places.contains(&format!("{USERS}:5")), "{places:?}");
    assert!(!places.iter().any(|it| it.starts_with("src/")), "{places:?}");
}
