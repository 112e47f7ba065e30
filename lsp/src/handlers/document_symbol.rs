//! `textDocument/documentSymbol`: the statements that go up.

use lockkeeper_core::check::CheckedStatement;
use lockkeeper_core::operation::Kind;
use lockkeeper_core::report::effect_line;
use lockkeeper_core::text::{self, Span, sanitise};
use tower_lsp::lsp_types::{DocumentSymbol, DocumentSymbolResponse, Location, SymbolInformation, SymbolKind};

use crate::world::View;

/// How much of a statement names it.
const NAME: usize = 60;

pub(crate) fn document_symbols(view: &View) -> DocumentSymbolResponse {
    let symbols = view.analysis.statements().map(|(checked, _, _, statement)| {
        let detail = effect_line(&statement.effect, &view.file().before, &checked.after, None);
        symbol(view, statement, detail)
    });
    if view.abilities.symbol_trees {
        return DocumentSymbolResponse::Nested(symbols.collect());
    }
    DocumentSymbolResponse::Flat(symbols.map(|it| flat(view, it)).collect())
}

#[allow(deprecated)] // The field must be filled in all the same.
fn symbol(view: &View, statement: &CheckedStatement, detail: Option<String>) -> DocumentSymbol {
    let first = text::lines(statement.span.of(&view.document.text)).next().unwrap_or("");
    let name_span = Span::new(statement.span.start, statement.span.start + first.len());
    DocumentSymbol {
        name: sanitise(first.trim_end_matches([' ', '(']), NAME),
        detail,
        kind: kind(statement),
        tags: None,
        deprecated: None,
        range: view.range(Span::new(statement.span.start, statement.end)),
        selection_range: view.range(name_span),
        children: None,
    }
}

#[allow(deprecated)] // The field must be filled in all the same.
fn flat(view: &View, symbol: DocumentSymbol) -> SymbolInformation {
    SymbolInformation {
        name: symbol.name,
        kind: symbol.kind,
        tags: None,
        deprecated: None,
        location: Location { uri: view.document.uri.clone(), range: symbol.range },
        container_name: None,
    }
}

fn kind(statement: &CheckedStatement) -> SymbolKind {
    match statement.operations.first().map(|operation| &operation.kind) {
        Some(Kind::CreateTable(_) | Kind::CreateView(_)) => SymbolKind::CLASS,
        Some(Kind::AlterTable(_)) => SymbolKind::FIELD,
        Some(Kind::CreateIndex(_) | Kind::Reindex(_)) => SymbolKind::KEY,
        Some(Kind::CreateType(_) | Kind::CreateDomain(_)) => SymbolKind::ENUM,
        Some(Kind::CreateFunction(_) | Kind::Do(_)) => SymbolKind::FUNCTION,
        Some(Kind::CreateSchema(_)) => SymbolKind::NAMESPACE,
        _ => SymbolKind::EVENT,
    }
}
