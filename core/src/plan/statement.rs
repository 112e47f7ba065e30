//! The statements of a step, as values. They become text once, at the very end, by the engine.

use crate::backfill::BackfillJob;
use crate::dialect::{Dialect, Lexicon};
use crate::engine;
use crate::engine::lower::lower;
use crate::hazards::Rule;
use crate::operation::{Kind, Operation};
use crate::statement::{Script, TokenKind, tokens};
use crate::text::{Span, comment, is_treacherous};

/// A hazard that a statement of ours meets on purpose.
#[derive(Debug, Clone)]
pub struct Allowance {
    /// Its rule.
    pub rule: &'static Rule,
    /// Why it does no harm here, in words that go behind "because".
    pub because: String,
}

impl PartialEq for Allowance {
    fn eq(&self, other: &Self) -> bool {
        self.rule.id == other.rule.id && self.because == other.because
    }
}

/// One statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// What it does.
    pub act: Act,
    /// The hazards that it meets on purpose.
    pub allowances: Vec<Allowance>,
    /// What takes it back, where that follows from itself.
    pub inverse: Option<Box<Self>>,
}

/// What a statement does.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// An operation that we spell.
    Operation(Box<Kind>),
    /// What somebody wrote, in his words.
    Written(Written),
    /// Work in batches that commit one by one.
    Batches(Box<BackfillJob>),
    /// An end with an error where there are rows.
    Refuse {
        /// The query of the rows.
        rows: String,
        /// The error.
        message: String,
    },
    /// An end with an error where a query counts something.
    Require {
        /// What must be so, in words that go behind "until".
        text: String,
        /// The query that counts what is not so.
        count: String,
    },
    /// Several statements that the server takes for one.
    Together(Vec<Statement>),
}

/// Words of the migration that is rewritten, or of its way back.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// The words, without a semicolon.
    pub text: String,
    /// What they mean. Spans are places in the text that they were read from.
    pub operations: Vec<Operation>,
}

impl Written {
    /// Reads one statement that somebody wrote.
    pub fn read(text: impl Into<String>, dialect: Dialect) -> Self {
        let text = text.into();
        let script = Script::read(&text, dialect);
        let operations = script.statements.iter().flat_map(|statement| lower(&script, statement)).collect();
        Self { text, operations }
    }
}

impl From<Kind> for Statement {
    fn from(kind: Kind) -> Self {
        Self::of(Act::Operation(Box::new(kind)))
    }
}

impl From<Written> for Statement {
    fn from(written: Written) -> Self {
        Self::of(Act::Written(written))
    }
}

impl From<BackfillJob> for Statement {
    fn from(job: BackfillJob) -> Self {
        Self::of(Act::Batches(Box::new(job)))
    }
}

impl Statement {
    /// A statement that meets no hazard, and of which nothing is known that takes it back.
    pub fn of(act: Act) -> Self {
        Self { act, allowances: Vec::new(), inverse: None }
    }

    /// The same, with a hazard that it meets on purpose.
    #[must_use]
    pub fn allowing(mut self, rule: &'static Rule, because: impl Into<String>) -> Self {
        self.allowances.push(Allowance { rule, because: because.into() });
        self
    }

    /// The same, with what takes it back.
    #[must_use]
    pub fn undone_by(mut self, inverse: impl Into<Self>) -> Self {
        self.inverse = Some(Box::new(inverse.into()));
        self
    }

    /// Whether it looks at rows and ends with an error where something is not as it must be.
    pub fn is_look(&self) -> bool {
        matches!(self.act, Act::Refuse { .. } | Act::Require { .. })
    }

    /// Whether it only says how the statements behind it run.
    pub fn is_setting(&self) -> bool {
        matches!(&self.act, Act::Operation(kind) if matches!(**kind, Kind::Set(_)))
    }

    /// The operations that it carries out.
    pub fn operations(&self) -> Vec<&Kind> {
        match &self.act {
            Act::Operation(kind) => vec![kind],
            Act::Written(written) => written.operations.iter().map(|it| &it.kind).collect(),
            Act::Together(statements) => statements.iter().flat_map(Self::operations).collect(),
            Act::Batches(_) | Act::Refuse { .. } | Act::Require { .. } => Vec::new(),
        }
    }

    /// A name in it that a file should not hold: a runner that reads line by line could take a part of it for a mark of its own, or people would
    /// read another statement than the one that runs.
    pub fn treacherous_name(&self, dialect: Dialect) -> Option<String> {
        let lexicon = match &self.act {
            Act::Together(statements) => {
                return statements.iter().find_map(|it| it.treacherous_name(dialect));
            }
            // What somebody wrote may hold the code of any language; ours holds SQL.
            Act::Written(_) => Lexicon::of(dialect),
            Act::Operation(_) | Act::Batches(_) | Act::Refuse { .. } | Act::Require { .. } => Lexicon::ANY,
        };
        let sql = self.bare(dialect);
        let tokens = tokens(&sql, Span::new(0, sql.len()), lexicon);
        let mut names = tokens.iter().filter(|it| it.kind == TokenKind::Quoted).map(|it| it.span.of(&sql));
        let found = names.find(|it| it.ends_with('"') && it.chars().any(is_treacherous));
        found.map(|it| it.trim_matches('"').to_owned())
    }

    /// The statement as SQL, with its comments in front and without a semicolon.
    pub fn sql(&self, dialect: Dialect) -> String {
        let allowed = self
            .allowances
            .iter()
            .map(|it| comment(&format!("lockkeeper: allow {} because {}", it.rule.id, it.because)));
        allowed.collect::<String>() + &self.bare(dialect)
    }

    fn bare(&self, dialect: Dialect) -> String {
        let engine = engine::of(dialect);
        match &self.act {
            // Nothing that we make is without a spelling (a test looks); should it be, it must not pass for nothing.
            Act::Operation(kind) => {
                engine.spell(kind).unwrap_or_else(|| engine.fail("a step could not be spelled"))
            }
            Act::Written(written) => written.text.clone(),
            Act::Batches(job) => engine.batches(job),
            Act::Refuse { rows, message } => engine.refuse(rows, message),
            Act::Require { text, count } => engine.require(text, count),
            Act::Together(statements) => {
                let all: Vec<String> = statements.iter().map(|it| it.sql(dialect)).collect();
                engine.together(&all)
            }
        }
    }
}

/// What takes back all of these, where each of them can be.
pub fn undo(statements: &[Statement]) -> Option<Vec<Statement>> {
    statements.iter().rev().map(|it| it.inverse.as_deref().cloned()).collect()
}

/// Statements as one text.
pub fn script(statements: &[Statement], dialect: Dialect) -> String {
    statements.iter().map(|it| it.sql(dialect) + ";\n").collect()
}
