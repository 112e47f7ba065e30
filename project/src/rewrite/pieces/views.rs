//! Views that a migration drops and makes again: each is replaced in one transaction, where it may be, and never absent.

use lockkeeper_core::catalog::{Catalog, RelationName};
use lockkeeper_core::dialect::Name;
use lockkeeper_core::operation::{Kind, ObjectKind, Operation};
use lockkeeper_core::plan::Statement;
use lockkeeper_core::planner::{Touch, touches};
use lockkeeper_core::recipes;
use lockkeeper_core::text::Span;

use super::{Becomes, Piece, Taker};

/// A statement that drops views which are made again.
pub(super) struct Dropped {
    /// Its place among those of the migration.
    place: usize,
    statement: Statement,
    names: Vec<RelationName>,
    /// What makes them again as they were.
    again: Vec<Statement>,
    /// What they read.
    read: Vec<Touch>,
}

/// Views that are dropped and made again, and what is said of them.
#[derive(Default)]
pub(in crate::rewrite) struct Redefined {
    /// What drops the old ones, in the order of the migration: a view goes before what it reads.
    dropped: Vec<Dropped>,
    /// The new ones, each with its rights, and what is said of them.
    made: Vec<Statement>,
    /// What drops the new ones.
    unmade: Vec<Statement>,
}

impl Redefined {
    /// The views.
    pub fn names(&self) -> impl Iterator<Item = &RelationName> {
        self.dropped.iter().flat_map(|it| &it.names)
    }

    /// The statements that replace them.
    pub fn up(&self) -> Vec<Statement> {
        self.dropped.iter().map(|it| &it.statement).chain(&self.made).cloned().collect()
    }

    /// The statements that make the old ones again: a later one may read those before it.
    pub fn down(&self) -> Vec<Statement> {
        let again = self.dropped.iter().rev().flat_map(|it| &it.again);
        self.unmade.iter().rev().chain(again).cloned().collect()
    }

    fn has(&self, name: &RelationName) -> bool {
        self.names().any(|it| it == name)
    }
}

impl Taker<'_> {
    /// The views that a statement drops and a later one makes again, neither of which a recipe takes over.
    pub(super) fn remade(&self) -> Vec<RelationName> {
        let free = |at: &usize| !self.claimed.contains(at) && self.found[*at].recipes.is_empty();
        let kinds =
            self.found.iter().enumerate().filter(|(at, _)| free(at)).map(|(_, it)| &it.operation.kind);
        let (mut remade, mut dropped): (Vec<RelationName>, Vec<Vec<RelationName>>) = Default::default();
        for kind in kinds {
            match kind {
                Kind::Drop(drop) if drop.object == ObjectKind::View && !drop.cascade => {
                    let names: Vec<RelationName> =
                        drop.names.iter().map(|it| self.catalog.resolve(it)).collect();
                    if names.iter().all(|it| self.catalog.view(it).is_some()) {
                        dropped.push(names);
                    }
                }
                Kind::CreateView(view) if !view.materialized && !view.temporary => {
                    remade.push(self.catalog.resolve(&view.name));
                }
                _ => {}
            }
        }
        dropped.into_iter().filter(|names| names.iter().all(|it| remade.contains(it))).flatten().collect()
    }

    /// What a recipe sees: views that are replaced anyway are in nobody's way.
    pub(super) fn without_remade(&self) -> Catalog {
        let mut catalog = self.catalog.clone();
        for name in self.remade.iter().filter(|it| self.catalog.view(it).is_some()) {
            let drop = recipes::drop_view(&self.order.scene(&self.catalog), name);
            drop.operations().into_iter().for_each(|kind| {
                catalog.apply(&Operation { kind: kind.clone(), span: Span::default() });
            });
        }
        catalog
    }

    /// Whether a statement is a part of views that are dropped and made again; then it goes to them.
    pub(super) fn keep_view(&mut self, statement: &Statement, operations: &[Operation]) -> bool {
        let [operation] = operations else { return false };
        let resolved = |it: &Name| self.catalog.resolve(it);
        match &operation.kind {
            Kind::Drop(drop) if drop.object == ObjectKind::View => {
                let names: Vec<RelationName> = drop.names.iter().map(resolved).collect();
                let held = !names.is_empty() && names.iter().all(|it| self.remade.contains(it));
                if held {
                    self.hold(statement.clone(), names);
                }
                held
            }
            Kind::CreateView(view) => self.make_view(statement, operation, &resolved(&view.name)),
            Kind::Grant(grant) if !grant.tables.is_empty() => {
                let names: Vec<RelationName> = grant.tables.iter().map(resolved).collect();
                self.say(statement, operation, &names)
            }
            Kind::Comment(comment) => self.say(statement, operation, &[resolved(&comment.name)]),
            _ => false,
        }
    }

    fn hold(&mut self, statement: Statement, names: Vec<RelationName>) {
        // What the recipe of an earlier statement does may have taken the views with it already.
        let there = names.iter().all(|it| self.catalog.view(it).is_some());
        let before = if there { &self.catalog } else { &self.order.file.before };
        let scene = self.order.scene(before);
        let again = names.iter().rev().flat_map(|it| recipes::view_again(&scene, it)).collect();
        let views = names.iter().filter_map(|it| before.view(it));
        let touch = |name: &RelationName| Touch { name: name.clone(), columns: None };
        let read = views.flat_map(|it| &it.depends_on).map(|it| touch(&it.relation)).collect();
        let place = self.next;
        self.held.push(Dropped { place, statement, names, again, read });
    }

    /// The last piece, where it is of views that are replaced. Views that are made one behind the other are replaced together.
    fn redefined(&mut self) -> Option<(&mut Redefined, &mut Option<Vec<Touch>>, &mut Catalog)> {
        match self.pieces.last_mut()? {
            Piece { becomes: Becomes::Redefined(views), touches, after, .. } => Some((views, touches, after)),
            _ => None,
        }
    }

    fn make_view(&mut self, statement: &Statement, operation: &Operation, name: &RelationName) -> bool {
        let dropped = self.held.iter().position(|it| it.names.contains(name)).map(|at| self.held.remove(at));
        let there = self.redefined().is_some_and(|(views, ..)| views.has(name));
        if dropped.is_none() && !there {
            return false;
        }
        if self.redefined().is_none() {
            let touches = Some(Vec::new());
            let becomes = Becomes::Redefined(Redefined::default());
            self.pieces.push(Piece {
                becomes,
                touches,
                after: self.catalog.clone(),
                settings: self.settings.clone(),
            });
        }
        let scene = self.order.scene(&self.order.file.before);
        // Who could read it can read it, whatever the migration forgets.
        let rights = recipes::rights_of(&scene, name, name);
        let unmade = recipes::drop_view(&scene, name);
        self.say(statement, operation, &[]);
        let Some((views, touches, _)) = self.redefined() else { return false };
        views.made.extend(rights);
        views.unmade.push(unmade);
        if let Some(dropped) = dropped {
            touches.iter_mut().for_each(|it| it.extend(dropped.read.iter().cloned()));
            views.dropped.push(dropped);
            views.dropped.sort_by_key(|it| it.place);
        }
        true
    }

    /// Adds a statement about views that were just replaced to them; whether it is one.
    fn say(&mut self, statement: &Statement, operation: &Operation, names: &[RelationName]) -> bool {
        let own = touches(&[operation], &self.catalog, &self.order.file.text);
        let mut behind = self.catalog.clone();
        behind.apply(operation);
        let Some((views, touches, after)) = self.redefined() else { return false };
        if !names.iter().all(|it| views.has(it)) {
            return false;
        }
        views.made.push(statement.clone());
        *touches = touches.take().zip(own).map(|(before, own)| [before, own].concat());
        *after = behind;
        true
    }
}
