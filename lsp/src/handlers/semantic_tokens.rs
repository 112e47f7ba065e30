//! `textDocument/semanticTokens`: which words of a statement name tables, columns, constraints and types of the schema at that point.

use lockkeeper_core::catalog::RelationKind;
use lockkeeper_project::analysis::named::Sentence;
use lockkeeper_project::analysis::origins::Object;
use tower_lsp::lsp_types::{Range, SemanticToken, SemanticTokenType, SemanticTokens, SemanticTokensLegend};

use crate::convert::touch;
use crate::world::View;

/// What names stand for, in the order of the legend.
const TYPES: [SemanticTokenType; 5] = [
    SemanticTokenType::CLASS,
    SemanticTokenType::INTERFACE,
    SemanticTokenType::PROPERTY,
    SemanticTokenType::TYPE,
    SemanticTokenType::VARIABLE,
];

pub(crate) fn legend() -> SemanticTokensLegend {
    SemanticTokensLegend { token_types: TYPES.to_vec(), token_modifiers: Vec::new() }
}

/// The tokens of the document, or of a part of it.
pub(crate) fn semantic_tokens(view: &View, part: Option<Range>) -> SemanticTokens {
    let asked = part.map(|it| view.span(it));
    let mut data = Vec::new();
    let (mut line, mut column) = (0, 0);
    for (_, _, _, statement) in view.analysis.statements() {
        if asked.is_some_and(|it| !touch(it, statement.span)) {
            continue;
        }
        let Some(sentence) = Sentence::read(&view.document.text, statement.span, view.schemas()) else {
            continue;
        };
        for (object, span) in sentence.objects() {
            let range = view.range(span);
            let delta_line = range.start.line - line;
            let delta_start =
                if delta_line == 0 { range.start.character - column } else { range.start.character };
            (line, column) = (range.start.line, range.start.character);
            data.push(SemanticToken {
                delta_line,
                delta_start,
                length: range.end.character.saturating_sub(range.start.character),
                token_type: kind(view, &object),
                token_modifiers_bitset: 0,
            });
        }
    }
    SemanticTokens { result_id: None, data }
}

fn kind(view: &View, object: &Object) -> u32 {
    match object {
        Object::Relation(name) => {
            let relation = view.schemas().into_iter().find_map(|it| it.relation(name));
            match relation.map(|it| &it.kind) {
                Some(RelationKind::View(_)) => 1,
                Some(RelationKind::Index(_) | RelationKind::Sequence(_)) => 4,
                _ => 0,
            }
        }
        Object::Column(..) => 2,
        Object::Type(_) => 3,
        Object::Constraint(..) => 4,
    }
}
