//! Which database a command is about, and whether the configuration lets it be lost.

use std::collections::BTreeMap;

use lockkeeper_project::config::Database;

use super::programs::Program;
use super::shell::Word;

/// A database as a command names it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    host: String,
    name: String,
}

/// Hosts that are this machine.
const HERE: [&str; 4] = ["", "localhost", "127.0.0.1", "::1"];

/// Whether all that a command names are databases that may be lost. One that names none is about one that nobody knows.
pub fn is_disposable(
    program: &Program,
    exported: &[(String, Word)],
    disposable: &BTreeMap<String, Database>,
) -> bool {
    if disposable.is_empty() {
        return false;
    }
    let set = || program.assignments.iter().chain(exported);
    let environment = |database: &Database| {
        let means = |value: &str| database.environment.as_deref() == Some(value);
        set().any(|(name, value)| name.ends_with("_ENV") && value.known().is_some_and(means))
    };
    let Some(named) = named(program, set()) else { return false };
    if named.is_empty() {
        return disposable.values().any(environment);
    }
    named.iter().all(|it| {
        let database = disposable.get(&it.name);
        database.is_some_and(|database| HERE.contains(&it.host.as_str()) || database.hosts.contains(&it.host))
    })
}

/// The databases that are named; nothing where one of them is known only at run time.
fn named<'a>(program: &Program, set: impl Iterator<Item = &'a (String, Word)>) -> Option<Vec<Named>> {
    let mut found = Vec::new();
    let (mut host, mut name) = (String::new(), None);
    for (variable, value) in set {
        match variable.as_str() {
            "PGDATABASE" => name = Some(value.known()?.to_owned()),
            "PGHOST" => value.known()?.clone_into(&mut host),
            "PGSERVICE" | "PGSERVICEFILE" | "PGHOSTADDR" => return None,
            it if it.ends_with("_URL") || it.ends_with("_DSN") || it == "GOOSE_DBSTRING" => {
                found.push(of_url(value.known()?)?);
            }
            _ => {}
        }
    }
    if matches!(program.name.as_str(), "psql" | "dropdb" | "createdb" | "pg_restore") {
        return of_client(program, host, name).map(|it| vec![it]);
    }
    for word in &program.arguments {
        let text = word.known()?;
        let value = text.find("postgres").filter(|_| text.contains("://")).map(|at| &text[at..]);
        found.extend(match value {
            Some(url) => Some(of_url(url)?),
            None => None,
        });
    }
    found.extend(name.map(|name| Named { host, name }));
    Some(found)
}

/// The database of PostgreSQL's own programs.
fn of_client(program: &Program, mut host: String, mut name: Option<String>) -> Option<Named> {
    let is_psql = program.name == "psql";
    let mut words = program.arguments.iter();
    while let Some(word) = words.next() {
        let text = word.start();
        let of_option = |short: &str, long: &str| {
            let attached = text.strip_prefix(&format!("{long}=")).map(|_| word.after(long.len() + 1));
            let joined =
                || text.strip_prefix(short).filter(|it| !it.is_empty()).map(|_| word.after(short.len()));
            attached.or_else(joined)
        };
        match text {
            "-d" | "--dbname" => name = Some(words.next()?.known()?.to_owned()),
            "-h" | "--host" => words.next()?.known()?.clone_into(&mut host),
            // What is done there is not what tells where it is.
            "-c" | "--command" | "-f" | "--file" | "-v" | "--set" | "--variable" | "-P" | "--pset" | "-p"
            | "--port" | "-U" | "--username" | "-o" | "--output" | "-F" | "-R" | "-T" | "-L" => {
                words.next();
            }
            _ if text.starts_with('-') => {
                if let Some(value) = of_option("-d", "--dbname") {
                    name = Some(value.known()?.to_owned());
                } else if let Some(value) = of_option("-h", "--host") {
                    value.known()?.clone_into(&mut host);
                } else if word.known().is_none() {
                    return None;
                } else if is_psql && !text.starts_with("--") && text.ends_with(['c', 'f', 'v', 'P']) {
                    words.next();
                }
            }
            _ if name.is_none() || !is_psql => name = Some(word.known()?.to_owned()),
            _ => {}
        }
    }
    let name = name?;
    if name.contains("://") {
        return of_url(&name);
    }
    if name.contains('=') {
        return of_pairs(&name);
    }
    Some(Named { host, name })
}

/// `postgres://user:password@host:port/name?options`. One whose options name another place is not taken.
fn of_url(url: &str) -> Option<Named> {
    let rest = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://"))?;
    let (place, options) = rest.split_once('?').unwrap_or((rest, ""));
    if ["host=", "hostaddr=", "dbname=", "service="].iter().any(|it| options.contains(it))
        || place.contains(['%', ','])
    {
        return None;
    }
    let (authority, name) = place.split_once('/')?;
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = match host.strip_prefix('[') {
        Some(address) => address.split_once(']')?.0,
        None => host.split(':').next().unwrap_or_default(),
    };
    Some(Named { host: host.to_owned(), name: name.to_owned() })
}

/// `host=… dbname=…`.
fn of_pairs(text: &str) -> Option<Named> {
    let (mut host, mut name) = (String::new(), None);
    for pair in text.split_whitespace() {
        match pair.split_once('=')? {
            ("host", value) => value.clone_into(&mut host),
            ("dbname", value) => name = Some(value.to_owned()),
            ("hostaddr" | "service", _) => return None,
            _ => {}
        }
    }
    Some(Named { host, name: name? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::hook::programs::{Started, started};
    use crate::commands::hook::shell;

    #[test]
    fn only_what_is_surely_disposable_is() {
        let database = |hosts: &[&str], environment: Option<&str>| Database {
            disposable: true,
            hosts: hosts.iter().map(|it| (*it).to_owned()).collect(),
            environment: environment.map(str::to_owned),
            ..Database::default()
        };
        let disposable = BTreeMap::from([
            ("shop_test".to_owned(), database(&["db"], Some("test"))),
            ("scratch".to_owned(), database(&[], None)),
        ]);
        let is = |text: &str| {
            let script = shell::read(text);
            let Started::Program(program) = started(script.commands.last().expect("a command")) else {
                panic!("{text}")
            };
            is_disposable(&program, &[], &disposable)
        };
        for text in [
            "psql shop_test -c 'DROP TABLE a'",
            "psql -d scratch -c \"$SQL\"",
            "psql -qtAc 'DROP TABLE a' --dbname=scratch",
            "psql -h localhost -dscratch",
            "psql postgres://u:p@127.0.0.1:5432/scratch",
            "psql 'host=localhost dbname=scratch'",
            "psql -h db -d shop_test",
            "PGDATABASE=scratch psql -f x.sql",
            "DATABASE_URL=postgres://db/shop_test npx prisma migrate reset",
            "RAILS_ENV=test bin/rails db:reset",
            "dropdb scratch",
            "goose postgres postgres://localhost/scratch reset",
            "migrate -database postgres://[::1]:5432/scratch?sslmode=disable -path m down",
        ] {
            assert!(is(text), "{text}");
        }
        for text in [
            "psql -c 'DROP TABLE a'",
            "psql shop -c 'DROP TABLE a'",
            "psql -h prod.example.org -d scratch",
            "psql \"$URL\" -c x",
            "psql -d \"scratch$X\"",
            "psql scratch -d shop",
            "psql postgres://prod/scratch",
            "psql 'postgres://localhost/scratch?host=prod'",
            "psql 'host=prod dbname=scratch'",
            "PGHOST=prod psql scratch",
            "PGSERVICE=prod psql scratch",
            "DATABASE_URL=postgres://localhost/scratch DIRECT_URL=postgres://prod/shop npx prisma migrate reset",
            "DATABASE_URL=$X npx prisma migrate reset",
            "npx prisma migrate reset",
            "RAILS_ENV=production bin/rails db:reset",
            "RAILS_ENV=test DATABASE_URL=postgres://prod/shop bin/rails db:reset",
            "goose postgres \"$URL\" reset",
            "dropdb shop",
        ] {
            assert!(!is(text), "{text}");
        }
    }
}
