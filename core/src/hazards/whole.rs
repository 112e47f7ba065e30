//! What rules see that look at more than one operation: the end of a text, a migration with its way back, the
//! migrations of one deploy.

use super::Hazard;
use crate::catalog::{Catalog, Session};
use crate::effect::Effect;
use crate::framework::{Framework, Settings, Transaction};
use crate::operation::{Kind, Operation};
use crate::statement::{Script, Statement};
use crate::text::Span;

/// What is left when the text has ended.
#[derive(Debug, Clone, Copy)]
pub struct End<'a> {
    /// The session, perhaps with an open transaction.
    pub session: &'a Session,
}

/// A migration together with its way back.
#[derive(Debug, Clone)]
pub struct Back<'a> {
    /// The schema before the migration.
    pub before: &'a Catalog,
    /// The schema after it went up and back again.
    pub after: &'a Catalog,
    /// The operations that go up.
    pub up: Vec<&'a Operation>,
    /// The operations that go back; `None` where nothing does.
    pub down: Option<Vec<&'a Operation>>,
}

impl Back<'_> {
    /// Whether all of it is known: nothing was left unread, and no code ran that may have done anything.
    pub fn is_known(&self) -> bool {
        let runs_code = |it: &&Operation| match &it.kind {
            Kind::Unknown(_) | Kind::Do(_) => true,
            Kind::Query(query) => {
                query.query.calls(self.before.dialect(), |name| self.after.function(name).is_some())
            }
            _ => false,
        };
        let mut all = self.up.iter().chain(self.down.iter().flatten()).copied();
        !all.any(|it| runs_code(&it))
    }

    /// The operations of the way back that do something to schema or rows.
    pub fn steps_back(&self) -> impl Iterator<Item = &Operation> {
        self.down.iter().flatten().copied().filter(|it| does_something(it))
    }

    /// The operations of the way up that do something to schema or rows.
    pub fn steps_up(&self) -> impl Iterator<Item = &Operation> {
        self.up.iter().copied().filter(|it| does_something(it))
    }
}

fn does_something(operation: &Operation) -> bool {
    !matches!(operation.kind, Kind::Set(_) | Kind::Transaction(_) | Kind::Query(_))
}

/// A part of a migration, and the runner that sends it.
#[derive(Debug, Clone)]
pub struct Sent<'a> {
    /// The runner.
    pub framework: &'static Framework,
    /// What the project has set for it.
    pub settings: Settings,
    /// Whether the settings beside the file say how it runs.
    pub is_stated: bool,
    /// The part, read.
    pub script: &'a Script<'a>,
    /// Where it stands in the text.
    pub span: Span,
    /// How its statements reach the server.
    pub transaction: Transaction,
    /// Its statements, as many as the script has.
    pub statements: Vec<PendingStatement<'a>>,
}

impl Sent<'_> {
    /// Whether the runner leaves its transaction for a statement.
    pub fn leaves(&self, statement: &Statement) -> bool {
        let mut cursor = self.script.cursor(statement);
        self.framework.leaves_for.iter().any(|words| cursor.eat_all(words))
    }
}

/// The migrations of one deploy, in the order in which they run.
#[derive(Debug, Clone)]
pub struct Deploy<'a> {
    /// The schema before the first of them.
    pub before: &'a Catalog,
    /// What runs them, where that is known.
    pub framework: Option<&'static Framework>,
    /// The migrations.
    pub migrations: Vec<Pending<'a>>,
}

/// A migration that has not run yet.
#[derive(Debug, Clone)]
pub struct Pending<'a> {
    /// Its name in messages: that of its file.
    pub name: &'a str,
    /// Its whole text.
    pub text: &'a str,
    /// A migration that has run and sorts behind it.
    pub behind: Option<&'a str>,
    /// Its comments.
    pub comments: Vec<Span>,
    /// Its statements.
    pub statements: Vec<PendingStatement<'a>>,
    /// The schema after it.
    pub after: &'a Catalog,
}

/// A statement of a migration that has not run yet.
#[derive(Debug, Clone, Copy)]
pub struct PendingStatement<'a> {
    /// Its operations.
    pub operations: &'a [Operation],
    /// What they do together.
    pub effect: &'a Effect,
}

/// A hazard of one of several migrations.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The migration, counted from 0.
    pub migration: usize,
    /// The hazard.
    pub hazard: Hazard,
}

impl<'a> Pending<'a> {
    /// Its operations in order.
    pub fn operations(&self) -> impl Iterator<Item = &'a Operation> {
        self.statements.iter().flat_map(|statement| statement.operations)
    }
}
