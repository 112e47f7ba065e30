//! `textDocument/definition` and `textDocument/declaration`: the place that made an object, and the one that last changed it.

use lockkeeper_project::analysis::origins::Change;
use tower_lsp::lsp_types::{Location, Position};

use crate::documents::Documents;
use crate::names::places;
use crate::world::{View, World};

/// Where the object under the cursor was made; asked there, where it was last changed.
pub(crate) fn definition(
    world: &World,
    documents: &Documents,
    view: &View,
    at: Position,
) -> Option<Location> {
    let (object, span) = view.object_at(view.offset(at))?;
    let found = places(world, documents, view, &object);
    let here = view.location(span);
    let made = found.iter().rev().find(|it| it.change == Change::Made).map(|it| it.location.clone());
    made.filter(|it| *it != here).or_else(|| last_change(&found)).filter(|it| *it != here)
}

/// Where the object under the cursor was last changed before this document, or in it.
pub(crate) fn declaration(
    world: &World,
    documents: &Documents,
    view: &View,
    at: Position,
) -> Option<Location> {
    let (object, span) = view.object_at(view.offset(at))?;
    let mut found = places(world, documents, view, &object);
    // What happens under the cursor is not what is asked for.
    found.retain(|it| it.location != view.location(span));
    last_change(&found)
}

fn last_change(found: &[crate::names::Found]) -> Option<Location> {
    let mut changes = found.iter().rev().filter(|it| matches!(it.change, Change::Made | Change::Changed));
    changes.next().map(|it| it.location.clone())
}
