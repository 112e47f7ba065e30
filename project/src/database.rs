//! A database of the user's, asked through `psql`: it knows every way to connect (TLS, password files, services) that its user has set up.
//!
//! A session is read-only, short, and takes no lock that anybody waits for.

use std::fmt;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::secret;

/// Why a database does not answer, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// No variable of that name is set.
    #[error(
        "{0} is no URL, and no environment variable of that name is set: name the variable that holds the database's URL"
    )]
    NoVariable(String),
    /// There is no psql.
    #[error("psql cannot be started: install PostgreSQL's client")]
    NotInstalled(#[source] std::io::Error),
    /// The server refused, or is not there.
    #[error("the database cannot be asked: {0}")]
    Refused(String),
}

/// Where a database is, with its password: nothing shows it.
#[derive(Clone)]
pub struct Database {
    url: String,
    password: Option<String>,
    /// So long one query may take, in seconds.
    patience: u32,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Database")
    }
}

impl Database {
    /// The database that a text names: an environment variable that holds its URL, or the URL itself.
    ///
    /// # Errors
    /// [`DatabaseError::NoVariable`] where it is neither.
    pub fn named(text: &str) -> Result<Self, DatabaseError> {
        let is_url = text.contains("://") || text.contains('=');
        let url = match is_url {
            true => text.to_owned(),
            false => std::env::var(text)
                .ok()
                .filter(|it| !it.is_empty())
                .ok_or_else(|| DatabaseError::NoVariable(text.to_owned()))?,
        };
        let (url, password) = without_password(&url);
        Ok(Self { url, password, patience: 5 })
    }

    /// The database that an environment variable holds the URL of, for a query that may take this many seconds.
    ///
    /// # Errors
    /// [`DatabaseError::NoVariable`] where it holds none.
    pub fn of_variable(name: &str, patience: u32) -> Result<Self, DatabaseError> {
        match name.contains("://") || name.contains('=') {
            true => Err(DatabaseError::NoVariable("what is configured".to_owned())),
            false => Ok(Self { patience, ..Self::named(name)? }),
        }
    }

    /// The first column of what a query answers.
    ///
    /// # Errors
    /// [`DatabaseError`], in words.
    pub fn column(&self, query: &str) -> Result<Vec<String>, DatabaseError> {
        Ok(self.rows(query)?.into_iter().filter_map(|row| row.into_iter().next()).collect())
    }

    /// What a query answers, as text; nulls are empty.
    ///
    /// # Errors
    /// [`DatabaseError`], in words.
    pub fn rows(&self, query: &str) -> Result<Vec<Vec<String>>, DatabaseError> {
        let text = self.answer(query)?;
        let rows = text.split(RECORD).filter(|row| !row.is_empty());
        Ok(rows.map(|row| row.split(FIELD).map(str::to_owned).collect()).collect())
    }

    fn answer(&self, query: &str) -> Result<String, DatabaseError> {
        let mut command = Command::new("psql");
        command.args(["--no-psqlrc", "--no-align", "--tuples-only", "--quiet", "--no-password"]);
        command.args(["--field-separator", &FIELD.to_string(), "--record-separator", &RECORD.to_string()]);
        command.args(["--set", "ON_ERROR_STOP=1", "--dbname", &self.url]);
        // On the command line everybody on the machine could read it.
        if let Some(password) = &self.password {
            command.env("PGPASSWORD", password);
        }
        command.env("PGCONNECT_TIMEOUT", "10");
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().map_err(DatabaseError::NotInstalled)?;
        if let Some(mut input) = child.stdin.take() {
            // A server that is not there closes the pipe: what psql says then is the better message.
            let _ = input.write_all(format!("{}{query};\n", session(self.patience)).as_bytes());
        }
        let output = child.wait_with_output().map_err(|error| DatabaseError::Refused(error.to_string()))?;
        if !output.status.success() {
            let message = String::from_utf8_lossy(&output.stderr);
            let line = message.lines().next().unwrap_or("psql gave up");
            return Err(DatabaseError::Refused(secret::excerpt(line)));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned())
    }
}

/// What stands between fields and between rows: no name holds it.
const FIELD: char = '\u{1f}';
const RECORD: char = '\u{1e}';

fn session(patience: u32) -> String {
    format!(
        "SET default_transaction_read_only = on; SET statement_timeout = '{patience}s'; SET lock_timeout = '1s';\n"
    )
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

    #[test]
    fn a_database_is_named_by_its_variable_and_shown_by_nobody() {
        let said = Database::named("LOCKKEEPER_NO_SUCH_VARIABLE").expect_err("nothing is set").to_string();
        assert!(said.starts_with("LOCKKEEPER_NO_SUCH_VARIABLE is no URL"), "{said}");
        let database = Database::named("postgres://shop:hunter2@db/shop").expect("a URL");
        assert_eq!(
            (format!("{database:?}"), database.password.as_deref()),
            ("Database".to_owned(), Some("hunter2"))
        );
    }
}
