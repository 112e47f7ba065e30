//! Requests to handlers: each with the documents of its place in the stream, away from the task that reads and writes.

use std::sync::Arc;

use serde_json::json;
use tower_lsp::jsonrpc::Result;
use tower_lsp::lsp_types::*;
use tower_lsp::{Client, LanguageServer};

use crate::documents::Documents;
use crate::handlers::completion::Asked;
use crate::handlers::{self, workspace_diagnostic};
use crate::publish::Publisher;
use crate::select::{self, SELECT};
use crate::world::{View, World};
use lockkeeper_core::text::Encoding;

tokio::task_local! {
    /// The documents of the request at hand.
    pub(crate) static SNAPSHOT: Documents;
}

/// What other files are watched for: they may use what a migration takes away.
const READERS: &str = "sql,prisma,ts,tsx,js,jsx,mjs,cjs,py,rb,go,rs,java,kt,scala,php,cs,ex,exs,erb,sh";

pub(crate) struct Backend {
    client: Client,
    world: Arc<World>,
    pub publisher: Arc<Publisher>,
}

impl Backend {
    pub fn new(client: Client, world: Arc<World>) -> Self {
        let publisher = Arc::new(Publisher::new(client.clone(), world.clone()));
        Self { client, world, publisher }
    }

    /// The answer for a document that is open; nothing for one that is not.
    async fn answer<T: Send + 'static>(
        &self,
        uri: &Url,
        handler: impl FnOnce(&View, &Documents) -> T + Send + 'static,
    ) -> Option<T> {
        let documents = SNAPSHOT.with(Clone::clone);
        let document = documents.get(uri)?.clone();
        let world = self.world.clone();
        Some(away(move || handler(&world.view(&document, &documents), &documents)).await)
    }

    async fn watch_files(&self) {
        let watchers = [format!("**/*.{{{READERS}}}"), "**/lockkeeper.toml".to_owned()]
            .map(|pattern| json!({"globPattern": pattern}));
        let registration = Registration {
            id: "files".to_owned(),
            method: "workspace/didChangeWatchedFiles".to_owned(),
            register_options: Some(json!({"watchers": watchers})),
        };
        if let Err(error) = self.client.register_capability(vec![registration]).await {
            tracing::warn!(%error, "the client watches no files");
        }
    }
}

/// Work away from the task that reads and writes.
async fn away<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(answer) => answer,
        // The wrapper makes an error reply of it.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

fn encoding_kind(encoding: Encoding) -> PositionEncodingKind {
    match encoding {
        Encoding::Utf8 => PositionEncodingKind::UTF8,
        Encoding::Utf16 => PositionEncodingKind::UTF16,
        Encoding::Utf32 => PositionEncodingKind::UTF32,
    }
}

fn capabilities(world: &World) -> ServerCapabilities {
    let abilities = world.abilities();
    let actions = CodeActionOptions {
        code_action_kinds: Some(vec![
            CodeActionKind::QUICKFIX,
            CodeActionKind::REFACTOR_REWRITE,
            handlers::code_action::FIX_ALL,
        ]),
        resolve_provider: Some(abilities.resolves_actions),
        work_done_progress_options: Default::default(),
    };
    let pulled = DiagnosticOptions {
        inter_file_dependencies: true,
        workspace_diagnostics: true,
        ..Default::default()
    };
    ServerCapabilities {
        position_encoding: Some(encoding_kind(abilities.encoding)),
        text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::INCREMENTAL),
            save: Some(TextDocumentSyncSaveOptions::Supported(true)),
            ..Default::default()
        })),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        definition_provider: Some(OneOf::Left(true)),
        declaration_provider: Some(DeclarationCapability::Simple(true)),
        references_provider: Some(OneOf::Left(true)),
        document_highlight_provider: Some(OneOf::Left(true)),
        completion_provider: Some(CompletionOptions {
            trigger_characters: Some(vec![".".to_owned(), " ".to_owned()]),
            ..CompletionOptions::default()
        }),
        workspace: Some(WorkspaceServerCapabilities {
            workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                supported: Some(true),
                change_notifications: Some(OneOf::Left(true)),
            }),
            file_operations: None,
        }),
        execute_command_provider: Some(ExecuteCommandOptions {
            commands: vec![SELECT.to_owned()],
            ..ExecuteCommandOptions::default()
        }),
        selection_range_provider: Some(SelectionRangeProviderCapability::Simple(true)),
        semantic_tokens_provider: Some(SemanticTokensServerCapabilities::SemanticTokensOptions(
            SemanticTokensOptions {
                legend: handlers::semantic_tokens::legend(),
                range: Some(true),
                full: Some(SemanticTokensFullOptions::Bool(true)),
                ..SemanticTokensOptions::default()
            },
        )),
        rename_provider: Some(OneOf::Right(RenameOptions {
            prepare_provider: Some(true),
            work_done_progress_options: Default::default(),
        })),
        workspace_symbol_provider: Some(OneOf::Left(true)),
        code_lens_provider: Some(CodeLensOptions { resolve_provider: Some(false) }),
        inlay_hint_provider: Some(OneOf::Left(true)),
        code_action_provider: Some(CodeActionProviderCapability::Options(actions)),
        document_symbol_provider: Some(OneOf::Left(true)),
        folding_range_provider: Some(FoldingRangeProviderCapability::Simple(true)),
        diagnostic_provider: abilities
            .pulls_diagnostics
            .then_some(DiagnosticServerCapabilities::Options(pulled)),
        ..Default::default()
    }
}

#[tower_lsp::async_trait]
impl LanguageServer for Backend {
    async fn initialize(&self, _: InitializeParams) -> Result<InitializeResult> {
        let world = self.world.clone();
        tokio::task::spawn_blocking(move || world.warm());
        let server_info =
            ServerInfo { name: "lockkeeper".to_owned(), version: Some(env!("CARGO_PKG_VERSION").to_owned()) };
        Ok(InitializeResult { capabilities: capabilities(&self.world), server_info: Some(server_info) })
    }

    async fn initialized(&self, _: InitializedParams) {
        if self.world.abilities().watches_files {
            self.watch_files().await;
        }
    }

    async fn shutdown(&self) -> Result<()> {
        Ok(())
    }

    async fn hover(&self, params: HoverParams) -> Result<Option<Hover>> {
        let (at, world) = (params.text_document_position_params, self.world.clone());
        let hover = move |view: &View, documents: &Documents| {
            handlers::hover::hover(&world, documents, view, at.position)
        };
        Ok(self.answer(&at.text_document.uri, hover).await.flatten())
    }

    async fn goto_definition(&self, params: GotoDefinitionParams) -> Result<Option<GotoDefinitionResponse>> {
        let (at, world) = (params.text_document_position_params, self.world.clone());
        let definition = move |view: &View, documents: &Documents| {
            handlers::definition::definition(&world, documents, view, at.position)
        };
        let found = self.answer(&at.text_document.uri, definition).await.flatten();
        Ok(found.map(GotoDefinitionResponse::Scalar))
    }

    async fn goto_declaration(
        &self,
        params: request::GotoDeclarationParams,
    ) -> Result<Option<request::GotoDeclarationResponse>> {
        let (at, world) = (params.text_document_position_params, self.world.clone());
        let declaration = move |view: &View, documents: &Documents| {
            handlers::definition::declaration(&world, documents, view, at.position)
        };
        let found = self.answer(&at.text_document.uri, declaration).await.flatten();
        Ok(found.map(request::GotoDeclarationResponse::Scalar))
    }

    async fn references(&self, params: ReferenceParams) -> Result<Option<Vec<Location>>> {
        let ReferenceParams { text_document_position: at, context, .. } = params;
        let world = self.world.clone();
        let references = move |view: &View, documents: &Documents| {
            handlers::references::references(&world, documents, view, at.position, &context)
        };
        Ok(self.answer(&at.text_document.uri, references).await.flatten())
    }

    async fn document_highlight(
        &self,
        params: DocumentHighlightParams,
    ) -> Result<Option<Vec<DocumentHighlight>>> {
        let at = params.text_document_position_params;
        let highlights =
            move |view: &View, _: &Documents| handlers::references::document_highlights(view, at.position);
        Ok(self.answer(&at.text_document.uri, highlights).await.flatten())
    }

    async fn completion(&self, params: CompletionParams) -> Result<Option<CompletionResponse>> {
        let at = params.text_document_position;
        let space = params.context.is_some_and(|it| it.trigger_character.as_deref() == Some(" "));
        let asked = if space { Asked::BySpace } else { Asked::ByHand };
        let items =
            move |view: &View, _: &Documents| handlers::completion::completion(view, at.position, asked);
        Ok(self.answer(&at.text_document.uri, items).await.flatten())
    }

    async fn prepare_rename(&self, at: TextDocumentPositionParams) -> Result<Option<PrepareRenameResponse>> {
        let prepare = move |view: &View, _: &Documents| handlers::rename::prepare(view, at.position);
        Ok(self.answer(&at.text_document.uri, prepare).await.flatten())
    }

    async fn rename(&self, params: RenameParams) -> Result<Option<WorkspaceEdit>> {
        let RenameParams { text_document_position: at, new_name, .. } = params;
        let world = self.world.clone();
        let rename = move |view: &View, documents: &Documents| {
            handlers::rename::rename(&world, documents, view, at.position, &new_name)
        };
        self.answer(&at.text_document.uri, rename).await.unwrap_or(Ok(None))
    }

    async fn selection_range(&self, params: SelectionRangeParams) -> Result<Option<Vec<SelectionRange>>> {
        let SelectionRangeParams { text_document, positions, .. } = params;
        let ranges =
            move |view: &View, _: &Documents| handlers::selection_range::selection_ranges(view, &positions);
        Ok(self.answer(&text_document.uri, ranges).await)
    }

    async fn semantic_tokens_full(
        &self,
        params: SemanticTokensParams,
    ) -> Result<Option<SemanticTokensResult>> {
        let tokens = |view: &View, _: &Documents| handlers::semantic_tokens::semantic_tokens(view, None);
        Ok(self.answer(&params.text_document.uri, tokens).await.map(Into::into))
    }

    async fn semantic_tokens_range(
        &self,
        params: SemanticTokensRangeParams,
    ) -> Result<Option<SemanticTokensRangeResult>> {
        let part = params.range;
        let tokens =
            move |view: &View, _: &Documents| handlers::semantic_tokens::semantic_tokens(view, Some(part));
        Ok(self.answer(&params.text_document.uri, tokens).await.map(Into::into))
    }

    async fn code_lens(&self, params: CodeLensParams) -> Result<Option<Vec<CodeLens>>> {
        let lenses = |view: &View, _: &Documents| handlers::code_lens::code_lenses(view);
        Ok(self.answer(&params.text_document.uri, lenses).await)
    }

    async fn symbol(&self, params: WorkspaceSymbolParams) -> Result<Option<Vec<SymbolInformation>>> {
        let (world, documents) = (self.world.clone(), SNAPSHOT.with(Clone::clone));
        let symbols =
            move || handlers::workspace_symbol::workspace_symbols(&world, &documents, &params.query);
        Ok(Some(away(symbols).await))
    }

    async fn inlay_hint(&self, params: InlayHintParams) -> Result<Option<Vec<InlayHint>>> {
        let InlayHintParams { text_document, range, .. } = params;
        let hints = move |view: &View, _: &Documents| handlers::inlay_hint::inlay_hints(view, range);
        Ok(self.answer(&text_document.uri, hints).await)
    }

    async fn code_action(&self, params: CodeActionParams) -> Result<Option<CodeActionResponse>> {
        let uri = params.text_document.uri.clone();
        let actions = move |view: &View, documents: &Documents| {
            handlers::code_action::code_actions(view, documents, &params)
        };
        Ok(self.answer(&uri, actions).await)
    }

    async fn code_action_resolve(&self, action: CodeAction) -> Result<CodeAction> {
        let Some(offer) = handlers::resolve::Offer::of(&action) else { return Ok(action) };
        let uri = offer.uri.clone();
        let resolve = move |view: &View, documents: &Documents| {
            if !offer.is_of(view.document.version) {
                return Err(handlers::resolve::changed());
            }
            handlers::resolve::resolve(view, documents, &offer, action)
        };
        self.answer(&uri, resolve).await.unwrap_or_else(|| Err(handlers::resolve::changed()))
    }

    async fn document_symbol(&self, params: DocumentSymbolParams) -> Result<Option<DocumentSymbolResponse>> {
        let symbols = |view: &View, _: &Documents| handlers::document_symbol::document_symbols(view);
        Ok(self.answer(&params.text_document.uri, symbols).await)
    }

    async fn folding_range(&self, params: FoldingRangeParams) -> Result<Option<Vec<FoldingRange>>> {
        let ranges = |view: &View, _: &Documents| handlers::folding_range::folding_ranges(view);
        Ok(self.answer(&params.text_document.uri, ranges).await)
    }

    async fn diagnostic(&self, params: DocumentDiagnosticParams) -> Result<DocumentDiagnosticReportResult> {
        let world = self.world.clone();
        let (uri, known) = (params.text_document.uri, params.previous_result_id);
        let documents = SNAPSHOT.with(Clone::clone);
        let items = move || workspace_diagnostic::items(&world, &documents, &uri).unwrap_or_default();
        let items = away(items).await;
        self.publisher.search_later();
        let result_id = workspace_diagnostic::result_id(&items);
        if known.is_some_and(|it| it == result_id) {
            let unchanged_document_diagnostic_report = UnchangedDocumentDiagnosticReport { result_id };
            return Ok(DocumentDiagnosticReport::Unchanged(RelatedUnchangedDocumentDiagnosticReport {
                unchanged_document_diagnostic_report,
                related_documents: None,
            })
            .into());
        }
        let full_document_diagnostic_report =
            FullDocumentDiagnosticReport { result_id: Some(result_id), items };
        let report =
            RelatedFullDocumentDiagnosticReport { full_document_diagnostic_report, related_documents: None };
        Ok(DocumentDiagnosticReport::Full(report).into())
    }

    async fn workspace_diagnostic(
        &self,
        params: WorkspaceDiagnosticParams,
    ) -> Result<WorkspaceDiagnosticReportResult> {
        let (world, documents) = (self.world.clone(), SNAPSHOT.with(Clone::clone));
        let known = params.previous_result_ids;
        let reports = move || workspace_diagnostic::workspace_diagnostics(&world, &documents, &known);
        Ok(WorkspaceDiagnosticReport { items: away(reports).await }.into())
    }

    async fn execute_command(&self, params: ExecuteCommandParams) -> Result<Option<serde_json::Value>> {
        if params.command != SELECT {
            return Err(tower_lsp::jsonrpc::Error::invalid_params(format!(
                "there is no command {}",
                params.command
            )));
        }
        // Not waited for: the client may want this answer before it shows anything.
        let client = self.client.clone();
        tokio::spawn(async move { select::select(&client, &params.arguments).await });
        Ok(None)
    }
}
