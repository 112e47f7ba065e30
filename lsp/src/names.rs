//! Names in a document: what each stands for, and where in the history that was made, changed and used.

use lockkeeper_core::catalog::Catalog;
use lockkeeper_core::operation::Operation;
use lockkeeper_core::text::{LineIndex, Span};
use lockkeeper_project::analysis::named::Sentence;
use lockkeeper_project::analysis::origins::{Change, Mention, Object, mentions};
use tower_lsp::lsp_types::{Location, Range, Url};

use crate::convert::position;
use crate::documents::Documents;
use crate::world::{Loaded, View, World};

/// A place of an object, with what is done there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub change: Change,
    pub location: Location,
}

impl View {
    /// The statement at a place, with the schemas around it.
    pub(crate) fn sentence_at(&self, offset: usize) -> Option<Sentence<'_>> {
        let span = self.statement_span(offset)?;
        Sentence::read(&self.document.text, span, self.schemas())
    }

    /// The object whose name stands at a place, and where that begins and ends.
    pub(crate) fn object_at(&self, offset: usize) -> Option<(Object, Span)> {
        self.sentence_at(offset)?.object_at(offset)
    }

    /// The schemas that the document's names may be of: behind it, before it, and behind its way back.
    pub(crate) fn schemas(&self) -> Vec<&Catalog> {
        let file = self.file();
        let after = file.parts.iter().rev().map(|(checked, _)| &checked.after).take(1);
        after.chain([&file.before]).chain(file.downs.iter().map(|(checked, _)| &checked.after)).collect()
    }

    fn statement_span(&self, offset: usize) -> Option<Span> {
        let statements = self.analysis.statements().map(|(_, _, _, it)| Span::new(it.span.start, it.end));
        statements.filter(|it| it.touches(offset)).last()
    }

    /// What its own way up names.
    fn mentions(&self) -> Vec<Mention> {
        let file = self.file();
        let statements = file.parts.iter().flat_map(|(checked, _)| &checked.statements);
        let operations: Vec<Operation> = statements.flat_map(|it| it.operations.clone()).collect();
        let after = file.parts.last().map_or(&file.before, |(checked, _)| &checked.after);
        mentions(&operations, &file.before, after)
    }
}

/// The places of an object in the migrations before a document and in it, in order.
pub(crate) fn places(world: &World, documents: &Documents, view: &View, object: &Object) -> Vec<Found> {
    let mut found = in_history(world, documents, view, object);
    let own = view.mentions().into_iter().filter(|it| it.object == *object);
    found.extend(own.map(|it| Found { change: it.change, location: view.location(it.span) }));
    found
}

impl View {
    pub(crate) fn location(&self, span: Span) -> Location {
        Location { uri: self.document.uri.clone(), range: self.range(span) }
    }
}

fn in_history(world: &World, documents: &Documents, view: &View, object: &Object) -> Vec<Found> {
    let Some((folder, until)) = view.analysis.standing.place() else { return Vec::new() };
    located(world, documents, &view.analysis.loaded, folder, object, until)
}

/// The places of an object in the first `until` migrations of a folder.
pub(crate) fn located(
    world: &World,
    documents: &Documents,
    loaded: &Loaded,
    folder: usize,
    object: &Object,
    until: usize,
) -> Vec<Found> {
    let project = &loaded.opened.project;
    let events = loaded.opened.origins(folder).of(object, until);
    let place = |event: lockkeeper_project::analysis::origins::Event| {
        let source = &project.folders[folder].migrations.get(event.migration)?.files.get(event.file)?;
        let uri = Url::from_file_path(project.root.join(&source.path)).ok()?;
        let open = documents.get(&uri).filter(|it| *it.text != *source.text);
        let location = match open {
            // Its text of now is another than the history's: the same is looked for there.
            Some(document) => {
                let view = world.view(document, documents);
                let same = |it: &Mention| it.object == *object && it.change == event.change;
                view.location(view.mentions().into_iter().find(same)?.span)
            }
            None => {
                let lines = LineIndex::new(&source.text);
                let [start, end] = [event.span.start, event.span.end]
                    .map(|it| position(lines.position(&source.text, it, world.encoding())));
                Location { uri, range: Range::new(start, end) }
            }
        };
        Some(Found { change: event.change, location })
    };
    events.into_iter().filter_map(place).collect()
}
