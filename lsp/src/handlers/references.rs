//! `textDocument/references` and `textDocument/documentHighlight`: who names an object, in migrations, queries and programs.

use lockkeeper_core::dialect::Dialect;
use lockkeeper_core::hazards::Subject;
use lockkeeper_core::text::Span;
use lockkeeper_project::analysis::named::Sentence;
use lockkeeper_project::analysis::origins::{Change, Object};
use tower_lsp::lsp_types::{
    DocumentHighlight, DocumentHighlightKind, Location, Position, Range, ReferenceContext, Url,
};

use crate::convert::position;
use crate::documents::Documents;
use crate::names::places;
use crate::world::{View, World};

pub(crate) fn references(
    world: &World,
    documents: &Documents,
    view: &View,
    at: Position,
    context: &ReferenceContext,
) -> Option<Vec<Location>> {
    let (object, _) = view.object_at(view.offset(at))?;
    let found = places(world, documents, view, &object);
    let made: Vec<Location> =
        found.iter().filter(|it| it.change == Change::Made).map(|it| it.location.clone()).collect();
    let here = places_here(view, &object).into_iter();
    let here = here.map(|it| Location { uri: view.document.uri.clone(), range: it });
    let all = found.into_iter().map(|it| it.location).chain(here).chain(in_programs(world, view, &object));
    let mut listed: Vec<Location> = Vec::new();
    for location in all.filter(|it| context.include_declaration || !made.contains(it)) {
        if !listed.contains(&location) {
            listed.push(location);
        }
    }
    Some(listed)
}

/// The same name wherever it stands in the document.
pub(crate) fn document_highlights(view: &View, at: Position) -> Option<Vec<DocumentHighlight>> {
    let (object, _) = view.object_at(view.offset(at))?;
    let highlight = |range| DocumentHighlight { range, kind: Some(DocumentHighlightKind::TEXT) };
    Some(places_here(view, &object).into_iter().map(highlight).collect())
}

fn places_here(view: &View, object: &Object) -> Vec<Range> {
    spans_here(view, object).into_iter().map(|it| view.range(it)).collect()
}

/// Where the document names the object.
pub(crate) fn spans_here(view: &View, object: &Object) -> Vec<Span> {
    let mut found = Vec::new();
    for (_, _, _, statement) in view.analysis.statements() {
        let Some(sentence) = Sentence::read(&view.document.text, statement.span, view.schemas()) else {
            continue;
        };
        found.extend(sentence.places_of(object));
    }
    found
}

fn in_programs(world: &World, view: &View, object: &Object) -> Vec<Location> {
    let subject = subject(object, view.file().target.dialect).filter(|_| world.is_trusted());
    let Some(subject) = subject else { return Vec::new() };
    let project = &view.analysis.loaded.opened.project;
    if !world.references.is_fresh(project, &subject) {
        world.references.search(project, &subject, world.encoding());
    }
    let known = world.references.known(project, &subject).unwrap_or_default();
    let located = known.iter().filter_map(|it| {
        let range = Range::new(position(it.start), position(it.end));
        Some(Location { uri: Url::from_file_path(&it.path).ok()?, range })
    });
    located.collect()
}

/// What programs call the object.
pub(crate) fn subject(object: &Object, dialect: Dialect) -> Option<Subject> {
    let (relation, column) = match object {
        Object::Relation(relation) => (relation, None),
        Object::Column(relation, column) => (relation, Some(column.to_string())),
        Object::Constraint(..) | Object::Type(_) => return None,
    };
    Some(Subject { table: relation.display(dialect), column })
}
