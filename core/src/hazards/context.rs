//! What a rule may ask.

use crate::catalog::{Catalog, RelationName, Session, Table};
use crate::dialect::{LockMode, Name, Target};
use crate::effect::{Effect, Waits, Work};
use crate::engine::lower::lower;
use crate::framework::Transaction;
use crate::operation::{CreateView, Kind, ObjectKind, Operation};
use crate::statement::{Script, Statement};
use crate::text::Span;

/// An operation's place: the schema and session before it, and what it does there.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The whole text that spans are places in.
    pub text: &'a str,
    /// The statements of the part at hand.
    pub script: &'a Script<'a>,
    /// The engine, version and settings.
    pub target: &'a Target,
    /// The schema before the operation.
    pub catalog: &'a Catalog,
    /// The session before the operation.
    pub session: &'a Session,
    /// What the operation does.
    pub effect: &'a Effect,
    /// How the statements reach the server.
    pub transaction: Transaction,
    /// The statement, counted from 0.
    pub statement: usize,
    /// The whole statement.
    pub statement_span: Span,
    /// Whether the operation stands in a block of code and may run or not.
    pub conditional: bool,
    /// Whether a hazard of no lock timeout was reported before.
    pub timeout_reported: bool,
    /// That a relation may be missing was said for this text already.
    pub missing_reported: bool,
    /// On the way back: the schema before the migration went up.
    pub back: Option<&'a Catalog>,
    /// Whether the operation stands in a loop that never commits.
    pub in_uncommitted_loop: bool,
}

impl<'a> Context<'a> {
    /// The full name of a relation.
    pub fn resolve(&self, name: &Name) -> RelationName {
        self.catalog.resolve(name)
    }

    /// The name of a relation in a message.
    pub fn display(&self, name: &RelationName) -> String {
        name.display(self.catalog.dialect())
    }

    /// A table by the name that a statement uses.
    pub fn table(&self, name: &Name) -> Option<&'a Table> {
        self.catalog.table_named(name)
    }

    /// Whether others use the relation: it existed before this migration and is not temporary.
    pub fn is_live(&self, name: &RelationName) -> bool {
        !self.catalog.is_new(name) && !self.catalog.is_temporary(name)
    }

    /// Whether the operation belongs to the way back.
    pub fn goes_back(&self) -> bool {
        self.back.is_some()
    }

    /// Whether the operation only takes back what the same migration made: the table was not there before it.
    pub fn undoes_table(&self, table: &RelationName) -> bool {
        self.back.is_some_and(|before| before.relation(table).is_none())
    }

    /// The same for a column.
    pub fn undoes_column(&self, table: &RelationName, column: &str) -> bool {
        self.back.is_some_and(|before| before.table(table).is_none_or(|it| it.column(column).is_none()))
    }

    /// The strongest lock on a relation that others use; indexes count as well.
    pub fn strongest_live_lock(&self) -> Option<(&'a RelationName, LockMode)> {
        let live = self.effect.locks.iter().filter(|(name, _)| self.is_live(name));
        live.max_by_key(|(_, mode)| **mode).map(|(name, mode)| (name, *mode))
    }

    /// Who waits on relations that others use.
    pub fn live_waits(&self) -> Waits {
        let by_lock = self.strongest_live_lock().map_or(Waits::Nobody, |(_, mode)| Waits::of(mode));
        by_lock.min(self.effect.waits)
    }

    /// Whether the operation does this work on a relation that others use and that may hold rows.
    pub fn works_on_live(&self, work: Work) -> bool {
        self.effect.work.iter().any(|(name, it)| *it == work && self.is_live(name))
    }

    /// Whether an object of this kind is certainly not there.
    pub fn is_certainly_missing(&self, name: &RelationName, object: ObjectKind) -> bool {
        let is_relation = matches!(
            object,
            ObjectKind::Table | ObjectKind::View | ObjectKind::MaterializedView | ObjectKind::Sequence
        );
        is_relation && self.catalog.is_complete() && self.catalog.relation(name).is_none()
    }

    /// Whether the relation is a partitioned table.
    pub fn is_partitioned(&self, name: &RelationName) -> bool {
        self.catalog.table(name).is_some_and(|table| table.partition_by.is_some())
    }

    /// Whether the relation is a table, or one that nothing is known of.
    pub fn may_be_table(&self, name: &RelationName) -> bool {
        let index = self.effect.indexes.contains(name);
        !index && (self.catalog.table(name).is_some() || self.catalog.relation(name).is_none())
    }

    /// The table in use by others that the open transaction keeps closed, and to whom.
    pub fn strongest_held(&self) -> Option<(RelationName, Waits)> {
        let held =
            self.session.held.iter().filter(|(name, mode, _)| {
                mode.blocks_writes() && self.is_live(name) && self.may_be_table(name)
            });
        let strongest = held.max_by_key(|(_, mode, _)| *mode)?;
        Some((strongest.0.clone(), Waits::of(strongest.1)))
    }

    /// Whether a transaction is open when the operation runs.
    pub fn in_transaction(&self) -> bool {
        self.session.transaction.is_some()
    }

    /// Whether the operation is one of a statement that fails.
    pub fn fails(&self) -> bool {
        self.effect.fails.is_some()
    }

    /// Whether a later statement of the text begins with the first of these words and has the others behind it, in this
    /// order. A guess that only keeps rules quiet.
    pub fn rest_mentions(&self, words: &[&str]) -> bool {
        let later = self.script.statements.get(self.statement + 1..).unwrap_or_default();
        later.iter().any(|it| self.mentions(it, words))
    }

    /// The same of an earlier statement.
    pub fn said_before(&self, words: &[&str]) -> bool {
        let earlier = self.script.statements.get(..self.statement).unwrap_or_default();
        earlier.iter().any(|it| self.mentions(it, words))
    }

    /// The same of the statement itself.
    pub fn says(&self, words: &[&str]) -> bool {
        self.script.statements.get(self.statement).is_some_and(|it| self.mentions(it, words))
    }

    fn mentions(&self, statement: &Statement, words: &[&str]) -> bool {
        let mut cursor = self.script.cursor(statement);
        words.iter().enumerate().all(|(number, word)| {
            let mut ahead =
                std::iter::from_fn(|| cursor.next_token()).take(if number == 0 { 1 } else { usize::MAX });
            ahead.any(|token| bare(token.span.of(self.script.text)).eq_ignore_ascii_case(word))
        })
    }

    /// The view of this name that a later statement of the text makes.
    pub fn later_view(&self, name: &RelationName) -> Option<CreateView> {
        let later = self.script.statements.get(self.statement + 1..).unwrap_or_default();
        let makes = later.iter().filter(|statement| self.script.cursor(statement).is("create"));
        makes.flat_map(|statement| lower(self.script, statement)).find_map(|operation| match operation.kind {
            Kind::CreateView(view) if self.resolve(&view.name) == *name => Some(*view),
            _ => None,
        })
    }

    /// Where the operation has a word.
    pub fn word_in(&self, operation: &Operation, word: &str) -> Option<Span> {
        let text = operation.span.of(self.text).to_ascii_lowercase();
        let at = operation.span.start + text.find(word)?;
        Some(Span::new(at, at + word.len()))
    }

    /// The text of an operation.
    pub fn text_of(&self, operation: &Operation) -> &'a str {
        operation.span.of(self.text)
    }
}

/// A word without the quotes around it.
fn bare(word: &str) -> std::borrow::Cow<'_, str> {
    match word.strip_prefix('"').and_then(|it| it.strip_suffix('"')) {
        Some(inner) if inner.contains('"') => inner.replace("\"\"", "\"").into(),
        Some(inner) => inner.into(),
        None => word.into(),
    }
}
