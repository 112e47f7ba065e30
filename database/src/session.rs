//! A session with the throw-away server, and what it said when a statement failed.

use std::fmt;

use sqlx::postgres::{PgConnectOptions, PgDatabaseError, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, Row, ValueRef};

/// What the server said when a statement failed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Failure {
    /// The code; `08000` where the connection itself failed.
    pub sqlstate: String,
    /// Its message.
    pub message: String,
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        let said = error.as_database_error().and_then(|it| it.try_downcast_ref::<PgDatabaseError>());
        match said {
            Some(it) => Self { sqlstate: it.code().to_owned(), message: it.message().to_owned() },
            None => Self { sqlstate: "08000".to_owned(), message: error.to_string() },
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.sqlstate, self.message)
    }
}

impl Failure {
    /// Whether the session is gone.
    pub(crate) fn ends_session(&self) -> bool {
        matches!(self.sqlstate.get(..3), Some("57P" | "080"))
    }
}

/// One row, as the server writes it.
pub(crate) type Answer = Vec<Option<String>>;

/// A session.
#[derive(Debug)]
pub(crate) struct Session(PgConnection);

impl Session {
    pub async fn open(options: &PgConnectOptions) -> Result<Self, Failure> {
        // A log holds no statements.
        Ok(Self(options.clone().disable_statement_logging().connect().await?))
    }

    /// Sends a text of statements as one string: without BEGIN in it, one implicit transaction.
    pub async fn run(&mut self, sql: &str) -> Result<(), Failure> {
        // What is run here is a migration, or made by us with every name quoted.
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut self.0).await?;
        Ok(())
    }

    /// The rows of a query, as text.
    pub async fn rows(&mut self, sql: &str) -> Result<Vec<Answer>, Failure> {
        let rows = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch_all(&mut self.0).await?;
        Ok(rows.iter().map(texts).collect::<Result<_, _>>()?)
    }

    /// The first value of a query; empty for null.
    pub async fn value(&mut self, sql: &str) -> Result<String, Failure> {
        let row = self.rows(sql).await?.into_iter().next().unwrap_or_default();
        Ok(row.into_iter().next().flatten().unwrap_or_default())
    }

    /// Runs a statement with one number as its parameter, prepared once in this session.
    pub async fn prepared(&mut self, sql: &str, number: i64) -> Result<Vec<Answer>, Failure> {
        let query = sqlx::query(AssertSqlSafe(sql.to_owned())).bind(number).persistent(true);
        let rows = self.0.fetch_all(query).await?;
        Ok(rows.iter().map(texts).collect::<Result<_, _>>()?)
    }

    /// Forgets what was prepared, as drivers do when a plan is not valid any more.
    pub async fn forget_prepared(&mut self) -> Result<(), Failure> {
        Ok(self.0.clear_cached_statements().await?)
    }
}

/// The values of a row that are texts as they were sent.
fn texts(row: &PgRow) -> Result<Answer, sqlx::Error> {
    let text = |column: usize| {
        let value = row.try_get_raw(column)?;
        Ok(if value.is_null() { None } else { value.as_str().ok().map(str::to_owned) })
    };
    (0..row.len()).map(text).collect()
}
