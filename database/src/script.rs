//! What is carried out: files and steps as values, and how a runner carries them out.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use lockkeeper_core::dialect::{Dialect, quote};
use lockkeeper_core::framework::Transaction;
use lockkeeper_core::statement::{Script as Sql, TokenKind};
use lockkeeper_core::text::Span;

use crate::locks::{Held, in_this_session};
use crate::session::{Failure, Session};

/// A part of a migration file that the runner executes as one unit.
#[derive(Debug, Clone)]
pub struct Script {
    /// The file, relative to the project's root.
    pub path: String,
    /// The file's text.
    pub text: Arc<str>,
    /// The part of it.
    pub span: Span,
    /// How its statements reach the server.
    pub transaction: Transaction,
}

/// One migration: what goes up, and what takes it back.
#[derive(Debug, Clone)]
pub struct Step {
    /// What it does.
    pub title: String,
    /// The file that goes up.
    pub path: String,
    /// The way up.
    pub up: Vec<Script>,
    /// The way back; empty where there is none.
    pub down: Vec<Script>,
    /// What must be so before it, where people see to that.
    pub before: Vec<String>,
    /// How many releases of the application are out before it.
    pub releases_before: usize,
}

/// A statement that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The file.
    pub path: String,
    /// Its line, from 1.
    pub line: usize,
    /// The statement.
    pub statement: String,
    /// What the server said.
    pub failure: Failure,
}

/// What carrying something out needs beside the statements.
#[derive(Debug, Default)]
pub(crate) struct Carried {
    /// The locks that were held at the end of transactions, with how long.
    pub held: Vec<Held>,
    /// What was done so that it works here: roles that were made.
    pub notes: Vec<String>,
}

impl Script {
    fn broken(&self, span: &Range<usize>, failure: Failure) -> Broken {
        Broken {
            path: self.path.clone(),
            line: 1 + self.text[..span.start].matches('\n').count(),
            statement: self.text[span.clone()].trim().to_owned(),
            failure,
        }
    }

    /// Its statements, as places in the text.
    fn statements(&self) -> Vec<Range<usize>> {
        let sql = Sql::read_part(&self.text, self.span, Dialect::Postgres);
        sql.statements
            .iter()
            .filter(|it| !is_client(&sql, it.tokens.clone()))
            .map(|it| it.span.start..it.span.end)
            .collect()
    }

    /// A command of psql or the rows of a COPY: no server understands them.
    pub fn needs_psql(&self) -> Option<usize> {
        let sql = Sql::read_part(&self.text, self.span, Dialect::Postgres);
        let client = sql.tokens.iter().find(|it| it.kind == TokenKind::Client)?;
        Some(1 + self.text[..client.span.start].matches('\n').count())
    }
}

fn is_client(sql: &Sql<'_>, tokens: Range<usize>) -> bool {
    sql.tokens[tokens].iter().all(|it| it.kind == TokenKind::Client)
}

/// Carries scripts out in the runner's way. A role that is missing is made once: clusters have roles that no migration makes.
pub(crate) async fn carry_out(
    session: &mut Session,
    admin: &mut Session,
    scripts: &[Script],
    carried: &mut Carried,
) -> Result<(), Broken> {
    for script in scripts {
        for attempt in 0.. {
            let Err(broken) = one(session, script, carried).await else { break };
            let missing = missing_role(&broken.failure).filter(|_| attempt < 20);
            let Some(role) = missing.filter(|_| script.transaction != Transaction::Autocommit) else {
                return Err(broken);
            };
            if make_role(admin, &role).await.is_err() {
                return Err(broken);
            }
            carried.notes.push(format!(
                "role {role} is not made by the history: made without any right for the rehearsal"
            ));
        }
    }
    Ok(())
}

/// Carries scripts out and sees every lock of theirs, where that is possible in a transaction: not how a runner does it.
pub(crate) async fn explore(
    session: &mut Session,
    admin: &mut Session,
    scripts: &[Script],
    carried: &mut Carried,
) -> Result<(), Broken> {
    for script in scripts {
        let pieces = match script.transaction {
            Transaction::Autocommit => script.statements(),
            _ => std::iter::once(script.span.start..script.span.end).collect(),
        };
        for piece in pieces {
            let span = Span::new(piece.start, piece.end);
            let inside = Script { span, transaction: Transaction::Wrapped, ..script.clone() };
            let result = carry_out(session, admin, &[inside], carried).await;
            if !result.as_ref().is_err_and(|it| it.failure.sqlstate == "25001") {
                result?;
                continue;
            }
            let as_written = Script { span, ..script.clone() };
            carry_out(session, admin, &[as_written], carried).await?;
        }
    }
    Ok(())
}

async fn one(session: &mut Session, script: &Script, carried: &mut Carried) -> Result<(), Broken> {
    match script.transaction {
        Transaction::Wrapped => wrapped(session, script, carried).await,
        Transaction::Implicit => {
            let span = script.span.start..script.span.end;
            session.run(&script.text[span.clone()]).await.map_err(|failure| {
                let statements = script.statements();
                let first = statements.first().filter(|_| statements.len() == 1).cloned().unwrap_or(span);
                script.broken(&first, failure)
            })
        }
        Transaction::Autocommit => {
            for span in script.statements() {
                session
                    .run(&script.text[span.clone()])
                    .await
                    .map_err(|failure| script.broken(&span, failure))?;
            }
            Ok(())
        }
    }
}

async fn wrapped(session: &mut Session, script: &Script, carried: &mut Carried) -> Result<(), Broken> {
    let whole = script.span.start..script.span.end;
    let begun = session.run("BEGIN").await;
    begun.map_err(|failure| script.broken(&whole, failure))?;
    let mut taken: Vec<(Held, Instant)> = Vec::new();
    let mut result = Ok(());
    for span in script.statements() {
        let start = Instant::now();
        result =
            session.run(&script.text[span.clone()]).await.map_err(|failure| script.broken(&span, failure));
        if result.is_err() {
            break;
        }
        for lock in in_this_session(session).await {
            if !taken.iter().any(|(it, _)| it.oid == lock.oid && it.mode == lock.mode) {
                taken.push((lock, start));
            }
        }
    }
    if result.is_err() {
        // The session may be gone; what failed first is what is said.
        let _ = session.run("ROLLBACK").await;
        return result;
    }
    session.run("COMMIT").await.map_err(|failure| script.broken(&whole, failure))?;
    carried.held.extend(taken.into_iter().map(|(held, since)| Held { time: since.elapsed(), ..held }));
    Ok(())
}

/// The role that the server does not know.
fn missing_role(failure: &Failure) -> Option<String> {
    let quoted = failure.message.strip_prefix("role \"")?.strip_suffix("\" does not exist")?;
    (matches!(failure.sqlstate.as_str(), "42704" | "22023")).then(|| quoted.to_owned())
}

async fn make_role(admin: &mut Session, role: &str) -> Result<(), Failure> {
    let name = quote(role, Dialect::Postgres);
    admin.run(&format!("CREATE ROLE {name} NOLOGIN; GRANT {name} TO {}", crate::cluster::OWNER)).await
}
