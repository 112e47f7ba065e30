//! Forms of statements that not every version has, run on this server: an older one cannot read them, one that has them can.

use lockkeeper_core::engine::versions::FORMS;

use crate::cluster::cluster;
use crate::database;

const SCHEMA: &str = "
    CREATE TABLE t (id int PRIMARY KEY, a int, note text);
    CREATE INDEX t_a ON t (a);
    CREATE VIEW v AS SELECT * FROM t;
    CREATE TABLE k (id int PRIMARY KEY);
    CREATE STATISTICS s ON id, a FROM t;";

/// A syntax error, an option or a function that the server does not know, or what it says it does not support.
const UNREAD: [&str; 4] = ["42601", "22023", "42883", "0A000"];

#[test]
fn forms_are_known_from_their_version_on() {
    let version = cluster().version();
    let mut wrong = Vec::new();
    for form in FORMS {
        let database = cluster().database_from("versions", |it| it.run(SCHEMA));
        let refused = database::run(&mut database.connect(), form.example).err();
        let refused = refused.filter(|it| UNREAD.contains(&it.sqlstate.as_str()));
        if (u32::from(form.since) > version) != refused.is_some() {
            let said = refused.map_or_else(|| "it is read".to_owned(), |it| it.to_string());
            wrong.push(format!("{} of {}: {said}: {}", form.name, form.since, form.example));
        }
    }
    assert!(wrong.is_empty(), "on {version}:\n{}", wrong.join("\n"));
}
