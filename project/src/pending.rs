//! Which migrations have not run yet, as the migrations table of a database says.
//!
//! The database is asked through `psql`: it knows every way to connect (TLS, password files, services) that its user
//! has set up. The session is read-only, short, and takes no lock that anybody waits for.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

use lockkeeper_core::framework::{Framework, Kind, Memory, Version};

use crate::folder::{Folder, Migration};
use crate::secret;

/// Why the database could not say it.
#[derive(Debug, thiserror::Error)]
pub enum PendingError {
    /// There is no psql.
    #[error("psql cannot be started: install PostgreSQL's client, or use --since")]
    NotInstalled(#[source] std::io::Error),
    /// The server refused, or is not there.
    #[error("the database cannot be asked: {0}")]
    Refused(String),
    /// The runner leaves nothing that says which migrations have run.
    #[error("{0} leaves no table that says by version which migrations have run: use --since")]
    NotRecorded(&'static str),
}

/// What has run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// These.
    Each(Vec<String>),
    /// All up to this one; `None` where nothing has run.
    Latest(Option<String>),
}

/// Asks the database at `url` what the framework has run.
///
/// # Errors
/// [`PendingError`] with what to do.
pub fn applied(url: &str, framework: &'static Framework) -> Result<Applied, PendingError> {
    let rows = |table: &str, query: &str| -> Result<Vec<String>, PendingError> {
        let there = ask(url, &format!("SELECT to_regclass('{table}') IS NOT NULL"))?;
        if there.first().is_none_or(|it| it != "t") {
            return Ok(Vec::new());
        }
        ask(url, query)
    };
    match framework.memory {
        Memory::Each { table, query } => Ok(Applied::Each(rows(table, query)?)),
        Memory::Latest { table, query } => Ok(Applied::Latest(rows(table, query)?.into_iter().next())),
        Memory::Elsewhere => Err(PendingError::NotRecorded(framework.title)),
    }
}

/// The files of a folder that have not run, in order.
pub fn pending(folder: &Folder, applied: &Applied) -> BTreeSet<String> {
    let versioned = folder.migrations.iter().filter(|migration| migration.kind == Kind::Versioned);
    let open = versioned.filter(|migration| !has_run(folder.framework, migration, applied));
    open.flat_map(|migration| &migration.files).map(|file| file.path.clone()).collect()
}

fn has_run(framework: &Framework, migration: &Migration, applied: &Applied) -> bool {
    match applied {
        Applied::Latest(latest) => {
            let latest = latest.as_ref().and_then(|text| Version::new(framework, text));
            latest.is_some_and(|latest| migration.version <= latest)
        }
        // Prisma records the name of the folder, the others the version.
        Applied::Each(all) => all.iter().any(|text| {
            Version::new(framework, text).is_some_and(|version| version == migration.version)
                || *text == format!("{}_{}", migration.version.text, migration.name)
        }),
    }
}

const SESSION: &str =
    "SET default_transaction_read_only = on; SET statement_timeout = '5s'; SET lock_timeout = '1s';\n";

fn ask(url: &str, query: &str) -> Result<Vec<String>, PendingError> {
    let (url, password) = without_password(url);
    let mut command = Command::new("psql");
    command.args(["--no-psqlrc", "--no-align", "--tuples-only", "--quiet", "--no-password"]);
    command.args(["--set", "ON_ERROR_STOP=1", "--dbname", &url]);
    // On the command line everybody on the machine could read it.
    if let Some(password) = password {
        command.env("PGPASSWORD", password);
    }
    command.env("PGCONNECT_TIMEOUT", "10");
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().map_err(PendingError::NotInstalled)?;
    let refused = |error: std::io::Error| PendingError::Refused(error.to_string());
    if let Some(mut input) = child.stdin.take() {
        // A server that is not there closes the pipe: what psql says then is the better message.
        let _ = input.write_all(format!("{SESSION}{query};\n").as_bytes());
    }
    let output = child.wait_with_output().map_err(refused)?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        return Err(PendingError::Refused(secret::excerpt(message.lines().next().unwrap_or("psql gave up"))));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().map(str::to_owned).filter(|line| !line.is_empty()).collect())
}

/// The URL without its password, and the password.
fn without_password(url: &str) -> (String, Option<String>) {
    let parts = || {
        let (scheme, rest) = url.split_once("://")?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (user, host) = rest[..end].rsplit_once('@')?;
        let (name, password) = user.split_once(':')?;
        Some((format!("{scheme}://{name}@{host}{}", &rest[end..]), decoded(password)))
    };
    parts().map_or_else(|| (url.to_owned(), None), |(url, password)| (url, Some(password)))
}

/// Percent signs taken out of a part of a URL.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = bytes.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let code = code.and_then(|it| u8::from_str_radix(std::str::from_utf8(it).ok()?, 16).ok());
        plain.push(code.unwrap_or(bytes[at]));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_leave_the_url() {
        let without = |url: &str| without_password(url);
        assert_eq!(
            without("postgres://shop:p%40ss@db:5432/shop?sslmode=require"),
            ("postgres://shop@db:5432/shop?sslmode=require".to_owned(), Some("p@ss".to_owned()))
        );
        assert_eq!(
            without("postgresql:///shop?host=/tmp"),
            ("postgresql:///shop?host=/tmp".to_owned(), None)
        );
        assert_eq!(without("dbname=shop"), ("dbname=shop".to_owned(), None));
        assert_eq!(decoded("100%"), "100%");
    }
}
