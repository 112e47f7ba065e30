//! One database of the throw-away server, and what a statement that failed said.

use crate::cluster::Cluster;
use postgres::{Client, NoTls, SimpleQueryMessage};
use std::fmt;

/// A database that is dropped with the value.
pub(crate) struct Database {
    cluster: &'static Cluster,
    name: String,
}

/// What the server said when a statement failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) sqlstate: String,
    pub(crate) message: String,
}

impl Database {
    pub(crate) fn new(cluster: &'static Cluster, name: String) -> Database {
        Database { cluster, name }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A new session.
    pub(crate) fn connect(&self) -> Client {
        self.cluster.config(&self.name).connect(NoTls).expect("the server answers")
    }

    /// Runs a text of statements that must succeed.
    #[track_caller]
    pub(crate) fn run(&self, sql: &str) {
        if let Err(failure) = run(&mut self.connect(), sql) {
            panic!("{failure}\n{sql}");
        }
    }

    /// The rows of a query, as text.
    #[track_caller]
    pub(crate) fn rows(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        rows(&mut self.connect(), sql).unwrap_or_else(|failure| panic!("{failure}\n{sql}"))
    }

    /// The first value of a query; empty for null.
    #[track_caller]
    pub(crate) fn value(&self, sql: &str) -> String {
        let row = self.rows(sql).into_iter().next().unwrap_or_default();
        row.into_iter().next().flatten().unwrap_or_default()
    }

    /// Gives the database to somebody else: it is not dropped.
    pub(crate) fn forget(mut self) -> String {
        std::mem::take(&mut self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if !self.name.is_empty() {
            self.cluster.drop_database(&self.name);
        }
    }
}

/// Runs a text of statements in a session, by the simple query protocol: without BEGIN in it, in one transaction.
pub(crate) fn run(client: &mut Client, sql: &str) -> Result<(), Failure> {
    let starts = sql.get(..5).is_some_and(|it| it.eq_ignore_ascii_case("COPY "));
    if starts && sql.to_ascii_uppercase().contains(" TO STDOUT") {
        let mut rows = client.copy_out(sql)?;
        std::io::copy(&mut rows, &mut std::io::sink()).expect("the server goes on");
        return Ok(());
    }
    client.batch_execute(sql).map_err(Failure::from)
}

/// The rows of a query in a session, as text.
pub(crate) fn rows(client: &mut Client, sql: &str) -> Result<Vec<Vec<Option<String>>>, Failure> {
    let messages = client.simple_query(sql)?;
    let rows = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    Ok(rows.map(|row| (0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect()).collect())
}

impl From<postgres::Error> for Failure {
    fn from(error: postgres::Error) -> Failure {
        match error.as_db_error() {
            Some(db) => Failure { sqlstate: db.code().code().to_owned(), message: db.message().to_owned() },
            // The connection itself failed: the class of SQLSTATE for that.
            None => Failure { sqlstate: "08000".to_owned(), message: error.to_string() },
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.sqlstate, self.message)
    }
}
