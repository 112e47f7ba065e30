//! The statements of a migration: those that stay as they are, and those that a recipe takes over.

use std::collections::{BTreeMap, BTreeSet};

use lockkeeper_core::catalog::{Catalog, RelationName};
use lockkeeper_core::check::CheckedStatement;
use lockkeeper_core::dialect::Name;
use lockkeeper_core::effect::in_server_order;
use lockkeeper_core::hazards::Hazard;
use lockkeeper_core::operation::{Kind, ObjectKind, Operation};
use lockkeeper_core::plan::{Phase, Statement, Way, Written};
use lockkeeper_core::planner::{Touch, touches};
use lockkeeper_core::recipes::{self, Answers, Group, Recipe, Scene, inverse};

use lockkeeper_core::text::Span;

use super::RewriteError;
use crate::analysis::CheckedFile;
use crate::config::Limits;

/// A part of a migration.
pub(super) struct Piece {
    /// What becomes of it.
    pub becomes: Becomes,
    /// What it has to do with; `None` where nobody can tell.
    pub touches: Option<Vec<Touch>>,
    /// The schema behind it.
    pub after: Catalog,
}

/// What becomes of a part of a migration.
pub(super) enum Becomes {
    /// Statements that stay.
    Kept(Kept),
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
    /// The views that are dropped and made again by it.
    pub views: Vec<RelationName>,
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
    };
    taker.remade = taker.remade();
    taker.catalog.start_migration();
    for (checked, _) in &file.parts {
        for statement in &checked.statements {
            taker.statement(statement)?;
        }
    }
    if !taker.rewritten {
        let message = "nothing in this migration has a recipe: there is nothing to rewrite".to_owned();
        return Err(RewriteError { message });
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
            all.extend(in_server_order(&statement.operations).into_iter().map(|operation| Found {
                operation,
                recipes: pointed_at(operation, &hazards),
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
    /// The statements that drop such views, until these are made again, with the schema in front of each.
    held: Vec<(Statement, Vec<RelationName>, Catalog)>,
}

impl<'a> Taker<'a> {
    fn statement(&mut self, statement: &'a CheckedStatement) -> Result<(), RewriteError> {
        let places = self.next..self.next + statement.operations.len();
        self.next = places.end;
        let alone = |at: &usize| self.claimed.contains(at) || !self.found[*at].recipes.is_empty();
        let any = places.clone().any(|at| alone(&at));
        if !any {
            let text = statement.span.of(&self.order.file.text).trim().trim_end_matches(';').to_owned();
            let apart = places.clone().any(|at| self.found[at].apart);
            let written = Written { text, operations: statement.operations.clone() };
            if !self.keep_view(written.clone().into(), &statement.operations) {
                self.keep(written.into(), &statement.operations, apart);
            }
            self.rewritten |= apart;
        }
        for at in places {
            let operation = self.found[at].operation;
            if let Some(group) = self.groups.remove(&at) {
                let operations: Vec<&Operation> =
                    group.members.iter().map(|at| self.found[*at].operation).collect();
                self.rewrite(&[group.recipe], &operations)?;
                for operation in operations {
                    self.catalog.apply(operation);
                }
                continue;
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
                named => self.rewrite(named, &[operation])?,
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
        let phases = phases.map_err(|refusal| RewriteError { message: refusal.reason })?;
        self.rewritten = true;
        let touches = touches(operations, &self.catalog);
        let mut after = self.catalog.clone();
        operations.iter().for_each(|it| after.apply(it));
        self.pieces.push(Piece { becomes: Becomes::Rewritten(phases), touches, after });
        Ok(())
    }

    fn keep(&mut self, statement: Statement, operations: &[Operation], apart: bool) {
        let settings_only =
            operations.iter().all(|it| matches!(it.kind, Kind::Set(_) | Kind::Transaction(_)));
        if settings_only {
            // Every new migration sets its own, and the runner or the spelling opens its transaction.
            return;
        }
        let transactional = self.is_transactional(operations);
        let down: Option<Vec<Statement>> =
            operations.iter().rev().map(|it| inverse(it, &self.catalog)).collect();
        let own: Vec<&Operation> = operations.iter().collect();
        let touches = touches(&own, &self.catalog);
        let mut after = self.catalog.clone();
        operations.iter().for_each(|it| after.apply(it));
        let last = self.pieces.last_mut();
        if let Some(Piece { becomes: Becomes::Kept(kept), touches: before, after: behind }) = last
            && kept.views.is_empty()
            && kept.transactional
            && transactional
            && !kept.apart
            && !apart
        {
            kept.up.push(statement);
            kept.down = down.zip(kept.down.take()).map(|(later, earlier)| [later, earlier].concat());
            *before = before.take().zip(touches).map(|(before, own)| [before, own].concat());
            *behind = after;
            return;
        }
        let becomes =
            Becomes::Kept(Kept { up: vec![statement], down, transactional, apart, views: Vec::new() });
        self.pieces.push(Piece { becomes, touches, after });
    }

    /// The views that a statement drops and a later one makes again, neither of which a recipe takes over.
    fn remade(&self) -> Vec<RelationName> {
        let free = |at: &usize| !self.claimed.contains(at) && self.found[*at].recipes.is_empty();
        let kinds = || {
            self.found.iter().enumerate().filter(|(at, _)| free(at)).map(|(at, it)| (at, &it.operation.kind))
        };
        let made_behind = |at: usize, name: &RelationName| {
            kinds().skip_while(|(it, _)| *it <= at).any(|(_, it)| match it {
                Kind::CreateView(view) => !view.materialized && self.catalog.resolve(&view.name) == *name,
                _ => false,
            })
        };
        let mut remade = Vec::new();
        for (at, kind) in kinds() {
            if let Kind::Drop(drop) = kind
                && drop.object == ObjectKind::View
                && !drop.cascade
            {
                let names: Vec<RelationName> = drop.names.iter().map(|it| self.catalog.resolve(it)).collect();
                if names.iter().all(|it| self.catalog.view(it).is_some() && made_behind(at, it)) {
                    remade.extend(names);
                }
            }
        }
        remade
    }

    /// What a recipe sees: views that are replaced anyway are in nobody's way.
    fn without_remade(&self) -> Catalog {
        let mut catalog = self.catalog.clone();
        for name in self.remade.iter().filter(|it| self.catalog.view(it).is_some()) {
            let drop = recipes::drop_view(&self.order.scene(&self.catalog), name);
            drop.operations().into_iter().for_each(|kind| {
                catalog.apply(&Operation { kind: kind.clone(), span: Span::default() });
            });
        }
        catalog
    }

    /// A view that is dropped and made again is replaced in one transaction, with its rights and comments. Whether the statement is a part of that.
    fn keep_view(&mut self, statement: Statement, operations: &[Operation]) -> bool {
        let [operation] = operations else { return false };
        let resolved = |it: &Name| self.catalog.resolve(it);
        match &operation.kind {
            Kind::Drop(drop) if drop.object == ObjectKind::View => {
                let names: Vec<RelationName> = drop.names.iter().map(resolved).collect();
                let held = !names.is_empty() && names.iter().all(|it| self.remade.contains(it));
                if held {
                    // What the recipe of an earlier statement does may have taken the view with it already.
                    let there = names.iter().all(|it| self.catalog.view(it).is_some());
                    let before = if there { &self.catalog } else { &self.order.file.before };
                    let before = before.clone();
                    self.held.push((statement, names, before));
                }
                held
            }
            Kind::CreateView(view) => {
                let name = resolved(&view.name);
                if self.held.iter().any(|(_, names, _)| names.contains(&name)) {
                    self.replace_view(statement, operation, &name);
                    return true;
                }
                self.join_view(statement, operation, &[name])
            }
            Kind::Grant(grant) if !grant.tables.is_empty() => {
                let names: Vec<RelationName> = grant.tables.iter().map(resolved).collect();
                self.join_view(statement, operation, &names)
            }
            Kind::Comment(comment) => self.join_view(statement, operation, &[resolved(&comment.name)]),
            _ => false,
        }
    }

    fn replace_view(&mut self, create: Statement, operation: &Operation, name: &RelationName) {
        let Some(at) = self.held.iter().position(|(_, names, _)| names.contains(name)) else { return };
        let (drop, names, before) = self.held.remove(at);
        let scene = self.order.scene(&before);
        // Who could read it can read it, whatever the migration forgets.
        let rights: Vec<Statement> = names.iter().flat_map(|it| recipes::rights_of(&scene, it, it)).collect();
        let back = names.iter().rev().flat_map(|it| recipes::view_again(&scene, it));
        let old: Vec<Touch> = names
            .iter()
            .flat_map(|it| before.view(it).into_iter().flat_map(|view| &view.depends_on))
            .map(|it| Touch { name: it.relation.clone(), columns: None })
            .collect();
        let touches = touches(&[operation], &self.catalog).map(|it| [it, old].concat());
        let mut after = self.catalog.clone();
        after.apply(operation);
        let down: Vec<Statement> = std::iter::once(recipes::drop_view(&scene, name)).chain(back).collect();
        // Views of one statement, or of statements one behind the other, are replaced together.
        if let Some(Piece { becomes: Becomes::Kept(kept), touches: theirs, after: behind }) =
            self.pieces.last_mut()
            && !kept.views.is_empty()
        {
            kept.up.insert(0, drop);
            kept.up.push(create);
            kept.up.extend(rights);
            kept.down = kept.down.take().map(|before| [down, before].concat());
            kept.views.extend(names);
            *theirs = theirs.take().zip(touches).map(|(before, own)| [before, own].concat());
            *behind = after;
            return;
        }
        let (up, views) = ([vec![drop, create], rights].concat(), names);
        let kept = Kept { up, down: Some(down), transactional: true, apart: true, views };
        self.pieces.push(Piece { becomes: Becomes::Kept(kept), touches, after });
    }

    /// What is said of views that were just replaced belongs to them.
    fn join_view(&mut self, statement: Statement, operation: &Operation, names: &[RelationName]) -> bool {
        let mut after = self.catalog.clone();
        after.apply(operation);
        let own = touches(&[operation], &self.catalog);
        let made = match &operation.kind {
            Kind::CreateView(_) => Some(recipes::drop_view(&self.order.scene(&self.catalog), &names[0])),
            _ => None,
        };
        match self.pieces.last_mut() {
            Some(Piece { becomes: Becomes::Kept(kept), after: behind, touches: theirs })
                if !kept.views.is_empty() && names.iter().all(|it| kept.views.contains(it)) =>
            {
                kept.up.push(statement);
                // A view of the same statement that is made later goes first on the way back.
                if let (Some(drop), Some(down)) = (made, &mut kept.down) {
                    down.insert(0, drop);
                }
                *theirs = theirs.take().zip(own).map(|(before, own)| [before, own].concat());
                *behind = after;
                true
            }
            _ => false,
        }
    }

    fn is_transactional(&self, operations: &[Operation]) -> bool {
        let session = lockkeeper_core::catalog::Session::default();
        let effect = lockkeeper_core::effect::of_statement(
            operations,
            &self.order.file.target,
            &self.catalog,
            &session,
        );
        effect.transactional
    }
}

/// The recipes for an operation that hazards point at: those of the worst first, and last the transaction of its own, which the steps of every other
/// have anyway.
fn pointed_at(operation: &Operation, hazards: &[&Hazard]) -> Vec<&'static Recipe> {
    let mut pointed: Vec<&&Hazard> =
        hazards.iter().filter(|hazard| operation.span.contains(hazard.span)).collect();
    pointed.sort_by_key(|hazard| std::cmp::Reverse(hazard.severity));
    let named = pointed.into_iter().flat_map(|hazard| &hazard.recipes).filter_map(|id| recipes::by_id(id));
    let mut named: Vec<&'static Recipe> = named.filter(|recipe| recipe.applies(operation)).collect();
    named.sort_by_key(|recipe| recipe.id == OWN_TRANSACTION);
    named
}
