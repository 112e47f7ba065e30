//! `workspace/diagnostic` and pulls of files that are not open: what the pending migrations say, without opening them.

use std::collections::HashMap;

use tower_lsp::lsp_types::{
    Diagnostic, FullDocumentDiagnosticReport, PreviousResultId, UnchangedDocumentDiagnosticReport, Url,
    WorkspaceDocumentDiagnosticReport, WorkspaceFullDocumentDiagnosticReport,
    WorkspaceUnchangedDocumentDiagnosticReport,
};

use crate::convert::diagnostics;
use crate::documents::Documents;
use crate::world::World;

/// The open documents and the migrations that are pending; what the client knows already is not said again.
pub(crate) fn workspace_diagnostics(
    world: &World,
    documents: &Documents,
    known: &[PreviousResultId],
) -> Vec<WorkspaceDocumentDiagnosticReport> {
    let known: HashMap<&Url, &str> = known.iter().map(|it| (&it.uri, it.value.as_str())).collect();
    let mut uris: Vec<Url> = world.loaded().iter().flat_map(|it| it.pending(world).to_vec()).collect();
    uris.extend(documents.keys().cloned());
    // What was pending when it was told, and is no more, has nothing to say.
    uris.extend(known.keys().map(|it| (*it).clone()));
    uris.sort();
    uris.dedup();
    uris.into_iter().filter_map(|uri| report(world, documents, uri, &known)).collect()
}

fn report(
    world: &World,
    documents: &Documents,
    uri: Url,
    known: &HashMap<&Url, &str>,
) -> Option<WorkspaceDocumentDiagnosticReport> {
    let open = documents.get(&uri);
    let version = open.map(|it| i64::from(it.version));
    let is_pending = || world.loaded().iter().any(|it| it.pending(world).contains(&uri));
    let items = if open.is_some() || is_pending() { items(world, documents, &uri)? } else { Vec::new() };
    let result_id = result_id(&items);
    if known.get(&uri).is_some_and(|it| **it == result_id) {
        let unchanged_document_diagnostic_report = UnchangedDocumentDiagnosticReport { result_id };
        return Some(WorkspaceDocumentDiagnosticReport::Unchanged(
            WorkspaceUnchangedDocumentDiagnosticReport { uri, version, unchanged_document_diagnostic_report },
        ));
    }
    let full_document_diagnostic_report = FullDocumentDiagnosticReport { result_id: Some(result_id), items };
    Some(WorkspaceDocumentDiagnosticReport::Full(WorkspaceFullDocumentDiagnosticReport {
        uri,
        version,
        full_document_diagnostic_report,
    }))
}

/// What is said of a file, open or not.
pub(crate) fn items(world: &World, documents: &Documents, uri: &Url) -> Option<Vec<Diagnostic>> {
    let document = documents.get(uri).cloned().or_else(|| world.closed(uri))?;
    Some(diagnostics(&world.view(&document, documents), &world.references))
}

/// The same for the same diagnostics, whatever made them.
pub(crate) fn result_id(items: &[Diagnostic]) -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    serde_json::to_string(items).unwrap_or_default().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
