//! The comparison of schemas in core against the server: pairs that differ in one thing, or in none.

use crate::cluster::cluster;
use crate::snapshot::{difference, whole_snapshot};
use lockkeeper_core::catalog::Catalog;
use lockkeeper_core::catalog::compare::{Order, compare};
use lockkeeper_core::check::{Part, replay};
use lockkeeper_core::dialect::{Dialect, Target, Version};
use lockkeeper_core::framework::Transaction;
use lockkeeper_core::text::Span;
use postgres::Client;

const PAIRS: &str = include_str!("../../core/src/catalog/compare/pairs.sql");

/// The schema that all pairs begin with, and what each adds to it: its title, the one and the other.
fn pairs() -> (&'static str, Vec<(&'static str, String, String)>) {
    let mut blocks = PAIRS.split("\n-- ").peekable();
    let base = blocks.next().and_then(|it| it.split_once('\n')).map_or("", |(_, sql)| sql);
    let mut pairs = Vec::new();
    while let Some(block) = blocks.next() {
        let (title, sql) = block.split_once('\n').unwrap_or((block, ""));
        let more = blocks.next_if(|it| it.starts_with("then") || it.starts_with("instead"));
        let (one, other) = match more.and_then(|it| it.split_once('\n')) {
            Some(("then", more)) => (sql.to_owned(), format!("{sql}\n{more}")),
            Some((_, more)) => (sql.to_owned(), more.to_owned()),
            None => (String::new(), sql.to_owned()),
        };
        pairs.push((title, one, other));
    }
    (base, pairs)
}

fn catalog(sql: &str) -> Catalog {
    let mut catalog = Catalog::empty(Dialect::Postgres);
    let part = Part { text: sql, span: Span::new(0, sql.len()), transaction: Transaction::Autocommit };
    replay(part, &Target::postgres(Version::major(15)), &mut catalog);
    catalog
}

/// The schema of the base and what is added to it, as the server sees it; `None` where it does not take that.
fn on_server(client: &mut Client, sql: &str) -> Option<String> {
    client.batch_execute("BEGIN").expect("the server answers");
    let taken = crate::database::run(client, sql).is_ok().then(|| whole_snapshot(client));
    client.batch_execute("ROLLBACK").expect("the server answers");
    taken
}

#[test]
fn the_comparison_says_what_the_server_says() {
    let (base, pairs) = pairs();
    let (mut wrong, mut refused) = (Vec::new(), Vec::new());
    let database = cluster().database();
    database.run("DO $$ BEGIN CREATE ROLE app; EXCEPTION WHEN duplicate_object THEN NULL; END $$");
    database.run(base);
    let mut client = database.connect();
    let start = on_server(&mut client, "");
    for (title, one, other) in &pairs {
        let first = if one.is_empty() { start.clone() } else { on_server(&mut client, one) };
        let Some(lines) =
            first.zip(on_server(&mut client, other)).map(|(one, other)| difference(&one, &other))
        else {
            refused.push(*title);
            continue;
        };
        let same = lines.is_empty();
        let (one, other) = (catalog(&format!("{base}\n{one}")), catalog(&format!("{base}\n{other}")));
        let ours: Vec<String> =
            compare(&other, &one, Order::Compared).iter().map(ToString::to_string).collect();
        if ours.is_empty() != same || same == title.starts_with("differs") {
            wrong.push(format!("{title}\n  the model: {ours:?}\n  the server: {lines}"));
        }
    }
    println!("{} pairs, {} that this server does not have: {refused:?}", pairs.len(), refused.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cluster().version() < 15 || refused.is_empty(), "{refused:?}");
}
