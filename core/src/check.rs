//! The loop at the heart: statements, their effects, their hazards, and the schema after them.

use crate::catalog::{Catalog, Gap, RelationName, Session};
use crate::dialect::{Dialect, Target};
use crate::effect::Effect;
use crate::engine::effect::{self, in_server_order};
use crate::engine::lower::{lower, operations_of_body};
use crate::engine::versions;
use crate::framework::Transaction;
use crate::hazards::{self, Context, Hazard};
use crate::operation::{Body, Kind, Operation};
use crate::statement::{Script, Statement};
use crate::text::Span;

/// What is checked: a part of a text, and how its statements reach the server.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// The whole text.
    pub text: &'a str,
    /// The part of it.
    pub span: Span,
    /// How its statements reach the server.
    pub transaction: Transaction,
}

/// A part, read and checked.
#[derive(Debug, Clone)]
pub struct Checked {
    /// Where it stands in its text.
    pub span: Span,
    /// How its statements reach the server.
    pub transaction: Transaction,
    /// Its statements.
    pub statements: Vec<CheckedStatement>,
    /// Its hazards, in order of place.
    pub hazards: Vec<Hazard>,
    /// What nobody could read.
    pub not_analysed: Vec<NotAnalysed>,
    /// Its comments: allowances stand in them.
    pub comments: Vec<Span>,
    /// The schema after it.
    pub after: Catalog,
}

/// A statement with what it does.
#[derive(Debug, Clone)]
pub struct CheckedStatement {
    /// Where it stands, without its semicolon.
    pub span: Span,
    /// Where its semicolon ends.
    pub end: usize,
    /// Its operations.
    pub operations: Vec<Operation>,
    /// What they do together.
    pub effect: Effect,
}

/// A place that nobody could read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAnalysed {
    /// Where.
    pub span: Span,
    /// Why.
    pub reason: String,
    /// What to do about it.
    pub advice: &'static str,
}

/// What to do about a statement in a form that nobody knows.
const SPELLING: &str = "check how it is spelled; if the server takes it, write `-- lockkeeper: allow unread because …` before it";
/// What to do about a statement that is put together when it runs.
const DYNAMIC: &str = "check the statement that it makes, and write `-- lockkeeper: allow unread because …` before the statement around it";
/// What to do about a file that psql runs from here.
const INCLUDED: &str = "write the statements into this file, or check that file too";

/// Reads and checks a part of a text on the schema before it.
pub fn check(part: Part<'_>, target: &Target, before: &Catalog) -> Checked {
    let script = Script::read_part(part.text, part.span, target.dialect);
    let mut after = before.clone();
    after.start_migration();
    after.detach_leaves_check = versions::detach_leaves_check(target);
    Run::new(part, target, after, &script).finish()
}

/// The schema after a part, without looking for hazards.
pub fn replay(part: Part<'_>, target: &Target, catalog: &mut Catalog) {
    let script = Script::read_part(part.text, part.span, target.dialect);
    let mut routines = Routines::default();
    catalog.start_migration();
    catalog.detach_leaves_check = versions::detach_leaves_check(target);
    if script.includes().next().is_some() {
        catalog.mark_incomplete();
    }
    for statement in &script.statements {
        let operations = lower(&script, statement);
        for operation in in_server_order(&operations) {
            if let Some(gap) = catalog.gap(operation) {
                catalog.mark_gap(&gap);
            }
            replay_operation(&script, operation, catalog, &mut routines, 0);
        }
    }
}

fn replay_operation(
    script: &Script<'_>,
    operation: &Operation,
    catalog: &mut Catalog,
    routines: &mut Routines,
    depth: usize,
) {
    catalog.apply(operation);
    for body in routines.run_by(operation, script.dialect, depth) {
        let found = operations_of_body(script, body.code, &body.language);
        for inner in &found.operations {
            replay_operation(script, inner, catalog, routines, depth + 1);
        }
        if !found.dynamic.is_empty() {
            catalog.mark_incomplete();
        }
    }
}

/// The routines that a text makes: they run where it calls them.
#[derive(Debug, Default)]
struct Routines {
    made: Vec<(String, Body)>,
}

/// How deep routines call each other before nobody follows.
const DEEPEST_CALL: usize = 8;

impl Routines {
    /// The code that an operation runs: its own block, or the routines of this text that it calls.
    fn run_by(&mut self, operation: &Operation, dialect: Dialect, depth: usize) -> Vec<Body> {
        match &operation.kind {
            _ if depth >= DEEPEST_CALL => Vec::new(),
            Kind::Do(body) => vec![body.clone()],
            Kind::Query(query) if !self.made.is_empty() => {
                let made = self.made.iter().filter(|(own, _)| query.query.calls(dialect, |name| name == own));
                made.map(|(_, body)| body.clone()).collect()
            }
            Kind::CreateFunction(function) => {
                let (name, language) = (function.name.name.clone(), function.language.clone());
                self.made.retain(|(known, _)| *known != name);
                self.made.extend(function.body.map(|code| (name, Body { language, code })));
                Vec::new()
            }
            _ => Vec::new(),
        }
    }
}

struct Run<'a> {
    part: Part<'a>,
    target: &'a Target,
    script: &'a Script<'a>,
    session: Session,
    checked: Checked,
    timeout_reported: bool,
    missing_reported: bool,
    /// What the migrations after this one know less for: this one was not run yet, and is judged without doubt.
    gaps: Vec<Gap>,
    /// On the way back: the schema before the migration went up.
    back: Option<&'a Catalog>,
    routines: Routines,
    /// The operation at hand stands in a loop that never commits.
    in_uncommitted_loop: bool,
    /// Why the target does not know the form of the statement at hand, until it is said.
    too_new: Option<String>,
}

impl<'a> Run<'a> {
    fn new(part: Part<'a>, target: &'a Target, after: Catalog, script: &'a Script<'a>) -> Self {
        let session = match part.transaction {
            Transaction::Wrapped => Session::in_transaction(),
            other if other.is_one(script.statements.len()) => Session::sent_together(),
            _ => Session::default(),
        };
        let checked = Checked {
            span: part.span,
            transaction: part.transaction,
            statements: Vec::with_capacity(script.statements.len()),
            hazards: Vec::new(),
            not_analysed: Vec::new(),
            comments: Vec::new(),
            after,
        };
        Self {
            part,
            target,
            script,
            session,
            checked,
            timeout_reported: false,
            missing_reported: false,
            gaps: Vec::new(),
            back: None,
            routines: Routines::default(),
            in_uncommitted_loop: false,
            too_new: None,
        }
    }

    fn finish(self) -> Checked {
        self.finish_with().0
    }

    /// The part checked, and the session as it leaves it.
    fn finish_with(mut self) -> (Checked, Session) {
        let script = self.script;
        for include in script.includes() {
            self.not_analysed(include, "psql runs what is not in this file", INCLUDED);
            self.checked.after.mark_incomplete();
        }
        for (number, statement) in script.statements.iter().enumerate() {
            self.statement(number, statement);
        }
        self.end();
        let mut checked = self.checked;
        checked.comments.clone_from(&script.comments);
        hazards::in_order(&mut checked.hazards);
        (checked, self.session)
    }

    fn statement(&mut self, number: usize, statement: &Statement) {
        let operations = lower(self.script, statement);
        self.too_new = versions::refused(self.script, statement, self.target);
        if self.script.is_unbalanced(statement) {
            self.not_analysed(statement.span, "its parentheses do not match", SPELLING);
        }
        // A copy shares everything, and the first change of each table then copies that table: most need none.
        let single = operations.len() == 1 && !matches!(operations[0].kind, Kind::Do(_));
        let before = (!single).then(|| self.checked.after.clone());
        let mut merged: Option<Effect> = None;
        for operation in in_server_order(&operations) {
            let own = self.operation(number, statement, operation, Conditional::No);
            let inner = self.bodies(number, statement, operation, 0);
            for effect in std::iter::once(own).chain(inner) {
                match &mut merged {
                    Some(merged) => merged.merge(effect),
                    None => merged = Some(effect),
                }
            }
        }
        let mut effect = merged.unwrap_or_default();
        if let Some(before) = before {
            // Neither was what an earlier part of the statement made.
            let after = &self.checked.after;
            effect.locks.retain(|name, _| before.relation(name).is_some() || after.relation(name).is_none());
        }
        let (span, end) = (statement.span, statement.end);
        self.checked.statements.push(CheckedStatement { span, end, operations, effect });
    }

    fn operation(
        &mut self,
        number: usize,
        statement: &Statement,
        operation: &Operation,
        conditional: Conditional,
    ) -> Effect {
        let mut effect = effect::of(operation, self.target, &self.checked.after, &self.session);
        if conditional == Conditional::No {
            let in_transaction = self.session.transaction.is_some();
            ending::refuse(&mut effect, operation, self.script, &self.checked.after, in_transaction);
        }
        if let Some(reason) = self.too_new.take() {
            effect.fails.get_or_insert(reason);
        }
        if let Kind::Unknown(unknown) = &operation.kind {
            self.not_analysed(operation.span, &unknown.reason, SPELLING);
        }
        let ctx = Context {
            text: self.part.text,
            script: self.script,
            target: self.target,
            catalog: &self.checked.after,
            session: &self.session,
            effect: &effect,
            transaction: self.part.transaction,
            statement: number,
            statement_span: statement.span,
            conditional: conditional == Conditional::Yes,
            timeout_reported: self.timeout_reported,
            missing_reported: self.missing_reported,
            back: self.back,
            in_uncommitted_loop: self.in_uncommitted_loop,
        };
        let found = hazards::check(operation, &ctx);
        self.missing_reported |= effect.missing.is_some() && effect.fails.is_none();
        self.timeout_reported |= found.iter().any(|hazard| hazard.rule == "no-lock-timeout");
        self.checked.hazards.extend(found);
        // Asked now: a table that is dropped goes on being held under this name.
        let tables: Vec<_> = effect.locks.iter().filter(|(name, _)| ctx.may_be_table(name)).collect();
        for (relation, mode) in tables {
            self.session.hold(relation.clone(), *mode, operation.span);
        }
        self.session.apply(operation, &self.checked.after);
        self.gaps.extend(self.checked.after.gap(operation));
        let unknown = |name: &&RelationName| self.checked.after.relation(name).is_none();
        let unknown: Vec<RelationName> = effect.locks.keys().filter(unknown).cloned().collect();
        // SET LOCAL outside a transaction warns and does nothing (measured on 15).
        let idle =
            matches!(&operation.kind, Kind::Set(set) if set.local && self.session.transaction.is_none());
        if !idle {
            self.checked.after.apply(operation);
        }
        // What it makes was not there to be locked.
        for name in unknown.iter().filter(|name| self.checked.after.relation(name).is_some()) {
            effect.locks.remove(name);
        }
        effect
    }

    /// Adds the hazards of what the text leaves open, each to the statement that it stands in.
    fn end(&mut self) {
        let found = hazards::check_end(&hazards::End { session: &self.session }, self.target.dialect);
        for hazard in found {
            let mut statements = self.checked.statements.iter();
            let statement = statements.position(|it| it.span.contains(hazard.span)).unwrap_or(0);
            self.checked.hazards.push(Hazard { statement, ..hazard });
        }
        for gap in &self.gaps {
            self.checked.after.mark_gap(gap);
        }
    }

    /// Checks the code that an operation runs.
    fn bodies(
        &mut self,
        number: usize,
        statement: &Statement,
        operation: &Operation,
        depth: usize,
    ) -> Vec<Effect> {
        let bodies = self.routines.run_by(operation, self.target.dialect, depth);
        bodies.iter().flat_map(|body| self.body(number, statement, body, depth)).collect()
    }

    /// Checks the statements of a block of code, and gives what they do.
    fn body(&mut self, number: usize, statement: &Statement, body: &Body, depth: usize) -> Vec<Effect> {
        let mut effects = Vec::new();
        let found = operations_of_body(self.script, body.code, &body.language);
        for dynamic in &found.dynamic {
            self.not_analysed(dynamic.span, "the statement is put together when it runs (EXECUTE)", DYNAMIC);
            self.gaps.push(Gap::History);
        }
        // A block is one statement: what it does is one transaction, unless it commits by itself.
        let opened = self.session.transaction;
        self.session.transaction = opened.or(Some(crate::catalog::Opened::ByText));
        for (place, inner) in found.operations.iter().enumerate() {
            if matches!(inner.kind, Kind::Transaction(_)) {
                // A procedure goes on in a new transaction.
                self.session.end_block();
                continue;
            }
            let before = self.checked.after.clone();
            let mut effect = effect::of(inner, self.target, &before, &self.session);
            effect.fails = None;
            effect.locks.retain(|name, _| before.relation(name).is_some() || !before.is_complete());
            effects.push(effect);
            let around = std::mem::replace(&mut self.in_uncommitted_loop, found.uncommitted.contains(&place));
            self.operation(number, statement, inner, Conditional::Yes);
            self.in_uncommitted_loop = around;
            effects.extend(self.bodies(number, statement, inner, depth + 1));
        }
        self.session.transaction = opened;
        if opened.is_none() {
            self.session.end_block();
        }
        effects
    }

    fn not_analysed(&mut self, span: Span, reason: &str, advice: &'static str) {
        // A routine may be called many times.
        if self.checked.not_analysed.iter().all(|it| it.span != span) {
            self.checked.not_analysed.push(NotAnalysed { span, reason: reason.to_owned(), advice });
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Conditional {
    Yes,
    No,
}

mod back;
mod deploy;
mod ending;
mod runner;

pub use back::{Up, check_down, missing_down};
pub use deploy::{Member, check_deploy};
pub use runner::check_runner;

#[cfg(test)]
mod drops;
#[cfg(test)]
pub(crate) mod mutants;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod tests;
