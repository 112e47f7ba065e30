//! The statements of a migration: those that stay as they are, and those that a recipe takes over.

mod views;

use std::collections::{BTreeMap, BTreeSet};

use lockkeeper_core::catalog::{Catalog, Configured, RelationName, Session, configured};
use lockkeeper_core::check::CheckedStatement;
use lockkeeper_core::dialect::Dialect;
use lockkeeper_core::effect::Effect;
use lockkeeper_core::engine::effect::{in_server_order, of_statement};
use lockkeeper_core::engine::lower::lower;
use lockkeeper_core::hazards::Hazard;
use lockkeeper_core::mechanics::{Answers, Scene, inverse};
use lockkeeper_core::operation::{CreateView, Kind, ObjectKind, Operation, TableAction};
use lockkeeper_core::plan::{Act, Phase, Statement, Way, Written};
use lockkeeper_core::planner::{Settings, Touch, touches};
use lockkeeper_core::recipes::{self, Group, Recipe};
use lockkeeper_core::statement::Script;
use lockkeeper_core::text::sanitise;

use super::RewriteError;
use crate::analysis::CheckedFile;
use crate::config::Limits;
use views::Dropped;
pub(super) use views::Redefined;

/// A part of a migration.
pub(super) struct Piece {
    /// What becomes of it.
    pub becomes: Becomes,
    /// What it has to do with; `None` where nobody can tell.
    pub touches: Option<Vec<Touch>>,
    /// The schema behind it.
    pub after: Catalog,
    /// What the migration has set for its session here.
    pub settings: Settings,
}

/// What becomes of a part of a migration.
pub(super) enum Becomes {
    /// Statements that stay.
    Kept(Kept),
    /// Views that are dropped and made again.
    Redefined(Redefined),
    /// What a recipe makes of an operation.
    Rewritten(Vec<Phase>),
}

/// Statements that stay as they are.
pub(super) struct Kept {
    pub up: Vec<Statement>,
    /// `None` where no way back is known.
    pub down: Option<Vec<Statement>>,
    pub transactional: bool,
    /// In a migration of their own: what comes before or behind is another.
    pub apart: bool,
    /// The tables that they close to readers, of those that were there before.
    pub closes: BTreeSet<RelationName>,
    /// Why they are what somebody has to know of before; `None` where they are as harmless as they look.
    pub because: Option<String>,
}

/// The recipe that only parts statements.
const OWN_TRANSACTION: &str = "own-transaction";

/// What a file's pieces are made for.
pub(super) struct Order<'a> {
    pub file: &'a CheckedFile,
    pub way: Way,
    pub limits: &'a Limits,
    /// The way back as the developer wrote it.
    pub back: &'a str,
    /// What the developer answered.
    pub answers: &'a Answers,
}

impl Order<'_> {
    fn scene<'b>(&'b self, catalog: &'b Catalog) -> Scene<'b> {
        Scene {
            text: &self.file.text,
            back: self.back,
            target: &self.file.target,
            catalog,
            batch_rows: self.limits.batch_rows,
            pause_lag_seconds: self.limits.replica_lag_pause_seconds,
            resume_lag_seconds: self.limits.replica_lag_seconds,
            answers: self.answers,
        }
    }
}

/// Takes a checked file apart.
pub(super) fn pieces(order: &Order<'_>) -> Result<Vec<Piece>, RewriteError> {
    let file = order.file;
    let mut taker = Taker {
        order,
        catalog: file.before.clone(),
        found: found(file),
        groups: file.groups.iter().filter_map(|group| Some((*group.members.first()?, group))).collect(),
        claimed: file.groups.iter().flat_map(|group| &group.members).copied().collect(),
        next: 0,
        pieces: Vec::new(),
        rewritten: false,
        remade: Vec::new(),
        held: Vec::new(),
        settings: Settings::default(),
        taken_back: BTreeSet::new(),
        refused: None,
    };
    taker.remade = taker.remade();
    taker.catalog.start_migration();
    for (checked, _) in &file.parts {
        for statement in &checked.statements {
            taker.statement(statement)?;
        }
    }
    if let Some(refusal) = taker.refused.take_if(|_| !taker.rewritten) {
        return Err(refusal);
    }
    if !taker.rewritten {
        return Err(RewriteError::nothing_to_do());
    }
    Ok(taker.pieces)
}

/// An operation with the recipes for it alone, in their order.
struct Found<'a> {
    operation: &'a Operation,
    recipes: Vec<&'static Recipe>,
    /// A hazard of its whole statement asks for a transaction of its own.
    apart: bool,
}

/// The operations of a file in the order in which the server carries them out.
fn found(file: &CheckedFile) -> Vec<Found<'_>> {
    let mut all = Vec::new();
    for (checked, judged) in &file.parts {
        for (number, statement) in checked.statements.iter().enumerate() {
            let hazards: Vec<&Hazard> =
                judged.hazards.iter().filter(|hazard| hazard.statement == number).collect();
            let inside =
                |hazard: &Hazard| statement.operations.iter().any(|it| it.span.contains(hazard.span));
            let apart = hazards.iter().any(|it| it.recipes.contains(&OWN_TRANSACTION) && !inside(it));
            let fails = statement.effect.fails.is_some();
            let dialect = file.target.dialect;
            all.extend(in_server_order(&statement.operations).into_iter().map(|operation| Found {
                operation,
                recipes: match pointed_at(operation, &hazards, dialect) {
                    none if none.is_empty() && fails => retyped(operation, dialect),
                    pointed => pointed,
                },
                apart,
            }));
        }
    }
    all
}

/// The recipes that may take over a part of a file.
pub(super) fn recipes(file: &CheckedFile) -> Vec<&'static Recipe> {
    let alone = found(file).into_iter().flat_map(|it| it.recipes);
    file.groups.iter().map(|group| group.recipe).chain(alone).collect()
}

struct Taker<'a> {
    order: &'a Order<'a>,
    catalog: Catalog,
    found: Vec<Found<'a>>,
    /// The groups by the place of their first operation.
    groups: BTreeMap<usize, &'a Group>,
    /// The places of all operations that stand in a group.
    claimed: BTreeSet<usize>,
    /// The place of the operation that comes next.
    next: usize,
    pieces: Vec<Piece>,
    rewritten: bool,
    /// The views that the migration drops and makes again: they are replaced where they are made.
    remade: Vec<RelationName>,
    /// The statements that drop such views, until these are made again.
    held: Vec<Dropped>,
    settings: Settings,
    /// The tables whose rows the developer's own way back takes back in a step.
    taken_back: BTreeSet<RelationName>,
    /// Why the first change of rows that stays one statement does.
    refused: Option<RewriteError>,
}

impl<'a> Taker<'a> {
    fn statement(&mut self, statement: &'a CheckedStatement) -> Result<(), RewriteError> {
        let places = self.next..self.next + statement.operations.len();
        self.next = places.end;
        let alone = |at: &usize| self.claimed.contains(at) || !self.found[*at].recipes.is_empty();
        let any = places.clone().any(|at| alone(&at));
        if statement.operations.iter().any(is_zone_of_an_interval) {
            return Err(RewriteError::new(
                "a time zone that is an INTERVAL cannot be set again by each step: write its name, or its number of hours",
            ));
        }
        let kept = places.clone().any(|at| !alone(&at));
        if let Some(why) = statement.effect.fails.as_ref().filter(|_| kept) {
            let shown = sanitise(statement.span.of(&self.order.file.text), 80);
            let message = format!("`{shown}` cannot run as it is written, and nothing is made of it: {why}");
            return Err(RewriteError::new(message));
        }
        if !any {
            let text = statement.span.of(&self.order.file.text).trim().trim_end_matches(';').to_owned();
            let apart = places.clone().any(|at| self.found[at].apart);
            let written = Written { text, operations: statement.operations.clone() };
            let written = Statement::from(written);
            if !self.keep_view(&written, &statement.operations) {
                self.keep(written, &statement.operations, apart);
            }
            self.rewritten |= apart;
        }
        for at in places {
            let operation = self.found[at].operation;
            if let Some(group) = self.groups.remove(&at) {
                let operations: Vec<&Operation> =
                    group.members.iter().map(|at| self.found[*at].operation).collect();
                self.refuse_temporary(&operations)?;
                match self.rewrite(&[group.recipe], &operations) {
                    Ok(()) => {
                        operations.iter().for_each(|it| self.catalog.apply(it));
                        continue;
                    }
                    // Where rows can only change in one statement the others still have better ways, each its own; but what goes would go with
                    // what the running release still writes to it.
                    Err(refusal)
                        if operations.iter().any(|it| it.changes_rows())
                            && !operations.iter().any(|it| takes_away(it)) =>
                    {
                        group.members.iter().for_each(|at| _ = self.claimed.remove(at));
                        self.refused.get_or_insert(refusal);
                    }
                    Err(refusal) => return Err(refusal),
                }
            }
            if self.claimed.contains(&at) {
                continue;
            }
            let named = self.found[at].recipes.clone();
            match named.as_slice() {
                [] if any => {
                    let statement = self.order.scene(&self.catalog).statement_of(operation);
                    self.keep(statement, std::slice::from_ref(operation), false);
                }
                [] => {}
                named => {
                    self.refuse_temporary(&[operation])?;
                    match self.rewrite(named, &[operation]) {
                        Err(refusal) if operation.changes_rows() => self.keep_whole(operation, refusal),
                        rewritten => rewritten?,
                    }
                }
            }
            self.catalog.apply(operation);
        }
        Ok(())
    }

    /// By the first of the recipes that is possible here.
    fn rewrite(&mut self, named: &[&'static Recipe], operations: &[&Operation]) -> Result<(), RewriteError> {
        let catalog = self.without_remade();
        let (scene, way) = (self.order.scene(&catalog), self.order.way);
        let mut written = named.iter().map(|recipe| recipes::write(recipe, operations, &scene, way));
        let first = written.next().unwrap_or_else(|| Ok(Vec::new()));
        let phases = first.or_else(|refusal| written.find_map(Result::ok).ok_or(refusal));
        let phases = phases.map_err(|refusal| RewriteError::new(refusal.reason))?;
        self.rewritten = true;
        let touches = touches(operations, &self.catalog, &self.order.file.text);
        let mut after = self.catalog.clone();
        operations.iter().for_each(|it| after.apply(it));
        let settings = self.settings.clone();
        self.pieces.push(Piece { becomes: Becomes::Rewritten(phases), touches, after, settings });
        Ok(())
    }

    /// What reads a temporary table is carried out where that is: a step may run in another session.
    fn refuse_temporary(&self, operations: &[&Operation]) -> Result<(), RewriteError> {
        let dialect = self.order.file.target.dialect;
        let names = operations.iter().filter_map(|it| it.relations(dialect)).flatten();
        let mut temporary = names.filter(|it| self.catalog.is_temporary(&self.catalog.resolve(it)));
        let Some(name) = temporary.next() else { return Ok(()) };
        Err(RewriteError::new(format!(
            "the temporary table {name} lasts as long as its session, and each step may run in another: make it a table that the migration drops in the end, or read its rows by a sub-query"
        )))
    }

    /// A change of rows that cannot be cut stays one statement, in a transaction of its own.
    fn keep_whole(&mut self, operation: &Operation, refusal: RewriteError) {
        let statement = self.order.scene(&self.catalog).statement_of(operation);
        self.keep(statement, std::slice::from_ref(operation), true);
        if let Some(Piece { becomes: Becomes::Kept(kept), .. }) = self.pieces.last_mut() {
            kept.because = Some(refusal.message.clone());
        }
        self.refused.get_or_insert(refusal);
    }

    fn keep(&mut self, statement: Statement, operations: &[Operation], apart: bool) {
        let dialect = self.order.file.target.dialect;
        let set_of = |operation: &Operation| match &operation.kind {
            Kind::Set(set) => Some(set.clone()),
            Kind::Query(query) => match configured(&query.query, dialect) {
                Some(Configured::To(set)) => Some(set),
                _ => None,
            },
            _ => None,
        };
        let settings_only =
            operations.iter().all(|it| set_of(it).is_some() || matches!(it.kind, Kind::Transaction(_)));
        if settings_only {
            // Every new migration sets what still matters, and the runner or the spelling opens its transaction.
            operations.iter().filter_map(set_of).for_each(|it| self.settings.apply(&it));
            return;
        }
        let effect = self.effect(operations);
        let (transactional, closes) = (effect.transactional, self.closed(&effect));
        let down: Option<Vec<Statement>> = operations.iter().rev().map(|it| self.inverse(it)).collect();
        let down = down.map(|it| it.into_iter().flat_map(parted).collect());
        let own: Vec<&Operation> = operations.iter().collect();
        let touches = touches(&own, &self.catalog, &self.order.file.text);
        let mut after = self.catalog.clone();
        operations.iter().for_each(|it| after.apply(it));
        let last = self.pieces.last_mut();
        if let Some(Piece { becomes: Becomes::Kept(kept), touches: before, after: behind, settings }) = last
            && *settings == self.settings
            && kept.transactional
            && transactional
            && !kept.apart
            && !apart
            // Whoever holds one table closed and waits for another comes into a deadlock with those who use both the other way round.
            && (kept.closes.is_empty() || closes.is_subset(&kept.closes))
        {
            kept.up.push(statement);
            kept.closes.extend(closes);
            kept.down = down.zip(kept.down.take()).map(|(later, earlier)| [later, earlier].concat());
            *before = before.take().zip(touches).map(|(before, own)| [before, own].concat());
            *behind = after;
            return;
        }
        let becomes =
            Becomes::Kept(Kept { up: vec![statement], down, transactional, apart, closes, because: None });
        self.pieces.push(Piece { becomes, touches, after, settings: self.settings.clone() });
    }

    /// The way back from an operation. A view that others read before is not made again as it was: they are back by then.
    fn inverse(&mut self, operation: &Operation) -> Option<Statement> {
        let before = &self.order.file.before;
        let read = |view: &CreateView| !before.views_on(&before.resolve(&view.name)).is_empty();
        if matches!(&operation.kind, Kind::CreateView(view) if read(view)) {
            return None;
        }
        inverse(operation, &self.catalog).or_else(|| self.stated_inverse(operation))
    }

    /// What the developer's own way back does to the rows of a table takes back what stays of the migration's changes of them: all of it
    /// goes with the first of these, which is the last to go back.
    fn stated_inverse(&mut self, operation: &Operation) -> Option<Statement> {
        let dialect = self.order.file.target.dialect;
        let table = self.catalog.resolve(operation.relation().filter(|_| operation.changes_rows())?);
        let changes = |it: &Operation| {
            it.changes_rows() && it.relation().is_some_and(|it| self.catalog.resolve(it) == table)
        };
        let script = Script::read(self.order.back, dialect);
        let back: Vec<Statement> = script
            .statements
            .iter()
            .filter(|it| lower(&script, it).iter().any(changes))
            .map(|it| Written::read(it.span.of(self.order.back), dialect).into())
            .collect();
        if back.is_empty() {
            return None;
        }
        let is_first = self.taken_back.insert(table);
        Some(Statement::of(Act::Together(if is_first { back } else { Vec::new() })))
    }

    fn effect(&self, operations: &[Operation]) -> Effect {
        of_statement(operations, &self.order.file.target, &self.catalog, &Session::default())
    }

    /// The tables in use by others that an effect closes to readers; partitions count with their parent.
    fn closed(&self, effect: &Effect) -> BTreeSet<RelationName> {
        let before = &self.order.file.before;
        let strong =
            effect.locks.iter().filter(|(name, mode)| mode.blocks_reads() && before.table(name).is_some());
        strong.map(|(name, _)| before.topmost(name)).collect()
    }
}

/// `SET TIME ZONE INTERVAL …`, which no function and no job can be told.
fn is_zone_of_an_interval(operation: &Operation) -> bool {
    let interval = |value: &String| value.trim_start().to_lowercase().starts_with("interval");
    matches!(&operation.kind, Kind::Set(set) if set.name == "timezone" && set.value.as_ref().is_some_and(interval))
}

/// Whether values go with it.
fn takes_away(operation: &Operation) -> bool {
    match &operation.kind {
        Kind::Drop(drop) => drop.object == ObjectKind::Table,
        Kind::AlterTable(alter) => matches!(alter.action, TableAction::DropColumn { .. }),
        _ => false,
    }
}

/// The statements of one that is made of several: a step runs them one by one in its transaction.
fn parted(statement: Statement) -> Vec<Statement> {
    match statement.act {
        Act::Together(all) => all,
        _ => vec![statement],
    }
}

/// The recipes for a change of type that the server refuses as it is written: beside the old column the new one may take what the check or
/// index of the old one could not.
fn retyped(operation: &Operation, dialect: Dialect) -> Vec<&'static Recipe> {
    let changes_type = matches!(&operation.kind, Kind::AlterTable(alter) if matches!(alter.action, TableAction::AlterType { .. }));
    let fits = |it: &&&Recipe| changes_type && it.id != OWN_TRANSACTION && it.applies(operation, dialect);
    recipes::RECIPES.iter().filter(fits).copied().collect()
}

/// The recipes for an operation that hazards point at: those of the worst first, and last the transaction of its own, which the steps of every other
/// have anyway.
fn pointed_at(operation: &Operation, hazards: &[&Hazard], dialect: Dialect) -> Vec<&'static Recipe> {
    let mut pointed: Vec<&&Hazard> =
        hazards.iter().filter(|hazard| operation.span.contains(hazard.span)).collect();
    pointed.sort_by_key(|hazard| std::cmp::Reverse(hazard.severity));
    let named = pointed.into_iter().flat_map(|hazard| &hazard.recipes).filter_map(|id| recipes::by_id(id));
    let mut named: Vec<&'static Recipe> = named.filter(|recipe| recipe.applies(operation, dialect)).collect();
    named.sort_by_key(|recipe| recipe.id == OWN_TRANSACTION);
    named
}
