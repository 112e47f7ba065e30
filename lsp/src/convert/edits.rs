//! Edits of one file, and rewrites that make files, in the shape that the client takes.

use std::collections::HashMap;

use lockkeeper_core::text::{Edit, LineIndex};
use lockkeeper_project::rewrite::Rewrite;
use tower_lsp::lsp_types::{
    AnnotatedTextEdit, ChangeAnnotation, CreateFile, CreateFileOptions, DeleteFile, DeleteFileOptions,
    DocumentChangeOperation, DocumentChanges, OneOf, OptionalVersionedTextDocumentIdentifier, Range,
    ResourceOp, TextDocumentEdit, TextEdit, Url, WorkspaceEdit,
};

use super::position;
use crate::documents::{Document, Documents};
use crate::world::View;

/// One label for everything that belongs together. It asks for no confirmation: clients leave edits that need one
/// unticked, and then apply half of a set.
const LABEL: &str = "expand-contract";

/// Edits of the document itself.
pub(crate) fn file_edit(view: &View, edits: &[Edit]) -> WorkspaceEdit {
    let edits =
        edits.iter().map(|edit| TextEdit::new(view.range(edit.span), in_its_lines(view, &edit.replacement)));
    let (uri, version) = (view.document.uri.clone(), view.document.version);
    if !view.abilities.versioned_edits {
        return WorkspaceEdit::new(HashMap::from([(uri, edits.collect())]));
    }
    let edits = edits.map(OneOf::Left).collect();
    let text_document = OptionalVersionedTextDocumentIdentifier { uri, version: Some(version) };
    let changes = DocumentChanges::Edits(vec![TextDocumentEdit { text_document, edits }]);
    WorkspaceEdit { document_changes: Some(changes), ..WorkspaceEdit::default() }
}

/// A text with the ends of lines that the document has.
fn in_its_lines(view: &View, text: &str) -> String {
    if !view.document.has_crlf() {
        return text.to_owned();
    }
    text.replace("\r\n", "\n").replace('\n', "\r\n")
}

/// New files with their texts; nothing where the client cannot make any.
pub(crate) fn creations(view: &View, files: &[(String, String)]) -> Option<WorkspaceEdit> {
    if !view.abilities.creates_files {
        return None;
    }
    let mut operations = Vec::new();
    for (path, _) in files {
        operations.push(creation(view.uri(path)?, false));
    }
    for (path, content) in files {
        let content = in_its_lines(view, content);
        let text =
            FileText { uri: view.uri(path)?, version: None, range: Range::default(), content, is_new: true };
        operations.push(DocumentChangeOperation::Edit(text.edit(false)));
    }
    let document_changes = Some(DocumentChanges::Operations(operations));
    Some(WorkspaceEdit { document_changes, ..WorkspaceEdit::default() })
}

/// Files removed; nothing where the client cannot.
pub(crate) fn deletion(view: &View, paths: &[&str]) -> Option<WorkspaceEdit> {
    let document_changes = Some(DocumentChanges::Operations(deletions(view, paths.iter().copied())?));
    Some(WorkspaceEdit { document_changes, ..WorkspaceEdit::default() })
}

fn deletions<'p>(view: &View, paths: impl Iterator<Item = &'p str>) -> Option<Vec<DocumentChangeOperation>> {
    if !view.abilities.deletes_files {
        return None;
    }
    let of_file = |path: &str| {
        let options = DeleteFileOptions {
            recursive: Some(false),
            ignore_if_not_exists: Some(true),
            annotation_id: None,
        };
        let delete = DeleteFile { uri: view.uri(path)?, options: Some(options) };
        Some(DocumentChangeOperation::Op(ResourceOp::Delete(delete)))
    };
    paths.map(of_file).collect()
}

/// A rewrite: all new files first, so that nothing is changed where one of them cannot be made, and so that one undo takes all of it back where a client
/// undoes what it did in a row.
pub(crate) fn rewrite_edit(view: &View, documents: &Documents, rewrite: &Rewrite) -> Option<WorkspaceEdit> {
    let now = rewrite.files.iter().filter(|it| !it.held);
    let mut files: Vec<NewText<'_>> =
        now.map(|it| NewText { path: &it.path, content: &it.content, replaces: it.replaces }).collect();
    // A client that removes no files leaves what waits of an earlier rewrite; what waits now is written over it.
    files.extend(rewrite.kept.iter().filter_map(|it| {
        Some(NewText { path: &it.path, content: it.content.as_deref()?, replaces: it.was.is_some() })
    }));
    files.sort_by_key(|file| file.replaces);
    let texts: Option<Vec<FileText>> = files.iter().map(|file| file_text(view, documents, file)).collect();
    let texts = texts?;
    let gone = rewrite.kept.iter().filter(|it| it.content.is_none()).map(|it| it.path.as_str());
    let gone = deletions(view, gone).unwrap_or_default();
    if !view.abilities.versioned_edits {
        let changes = texts.into_iter().map(|it| (it.uri, vec![TextEdit::new(it.range, it.content)]));
        return Some(WorkspaceEdit::new(changes.collect()));
    }
    let labelled = view.abilities.labels_changes;
    let creates = view.abilities.creates_files;
    let new = texts.iter().filter(|it| it.is_new && creates);
    let mut operations: Vec<DocumentChangeOperation> =
        new.map(|it| creation(it.uri.clone(), labelled)).collect();
    operations.extend(texts.into_iter().map(|it| DocumentChangeOperation::Edit(it.edit(labelled))));
    operations.extend(gone);
    Some(WorkspaceEdit {
        document_changes: Some(changes(operations, creates)),
        change_annotations: labelled.then(|| HashMap::from([(LABEL.to_owned(), annotation())])),
        ..WorkspaceEdit::default()
    })
}

/// A client without operations on files gets none of their types either.
fn changes(operations: Vec<DocumentChangeOperation>, creates: bool) -> DocumentChanges {
    if creates {
        return DocumentChanges::Operations(operations);
    }
    let edits = operations.into_iter().filter_map(|it| match it {
        DocumentChangeOperation::Edit(edit) => Some(edit),
        DocumentChangeOperation::Op(_) => None,
    });
    DocumentChanges::Edits(edits.collect())
}

/// The new text of a file and what it takes the place of.
struct FileText {
    uri: Url,
    version: Option<i32>,
    range: Range,
    content: String,
    is_new: bool,
}

/// A file that is written.
struct NewText<'a> {
    path: &'a str,
    content: &'a str,
    replaces: bool,
}

fn file_text(view: &View, documents: &Documents, file: &NewText<'_>) -> Option<FileText> {
    let uri = view.uri(file.path)?;
    let open = documents.get(&uri).filter(|_| file.replaces);
    let range = match open {
        Some(document) => document.whole(view.abilities.encoding),
        None if file.replaces => whole_on_disk(view, file.path)?,
        None => Range::default(),
    };
    let version = open.map(|document: &std::sync::Arc<Document>| document.version);
    Some(FileText { uri, version, range, content: in_its_lines(view, file.content), is_new: !file.replaces })
}

fn whole_on_disk(view: &View, path: &str) -> Option<Range> {
    let text = view.analysis.loaded.opened.project.read(path)?;
    let end = LineIndex::new(&text).position(&text, text.len(), view.abilities.encoding);
    Some(Range::new(Default::default(), position(end)))
}

impl FileText {
    fn edit(self, labelled: bool) -> TextDocumentEdit {
        let text_edit = TextEdit::new(self.range, self.content);
        let edit = if labelled {
            OneOf::Right(AnnotatedTextEdit { text_edit, annotation_id: LABEL.to_owned() })
        } else {
            OneOf::Left(text_edit)
        };
        let text_document = OptionalVersionedTextDocumentIdentifier { uri: self.uri, version: self.version };
        TextDocumentEdit { text_document, edits: vec![edit] }
    }
}

fn creation(uri: Url, labelled: bool) -> DocumentChangeOperation {
    let options = CreateFileOptions { overwrite: Some(false), ignore_if_exists: Some(false) };
    let annotation_id = labelled.then(|| LABEL.to_owned());
    DocumentChangeOperation::Op(ResourceOp::Create(CreateFile { uri, options: Some(options), annotation_id }))
}

fn annotation() -> ChangeAnnotation {
    ChangeAnnotation {
        label: "Rewrite as expand-contract".to_owned(),
        needs_confirmation: Some(false),
        description: Some("all files together, or none".to_owned()),
    }
}
