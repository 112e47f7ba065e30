//! `textDocument/completion`: names of the schema at that point of the history, types, and rules behind `lockkeeper: allow`.

use lockkeeper_core::catalog::{Catalog, RelationKind, RelationName};
use lockkeeper_core::hazards::{RULES, page};
use lockkeeper_core::policy::UNREAD;
use lockkeeper_core::text::Span;
use lockkeeper_project::analysis::named::{Expected, Sentence};
use tower_lsp::lsp_types::{
    CompletionItem, CompletionItemKind, CompletionList, CompletionResponse, Documentation, Position,
};

use crate::markdown::markup;
use crate::world::View;

/// More than these nobody looks through; the client asks again when more is typed.
const MOST: usize = 300;

/// Types that everybody has, as they are mostly written.
const TYPES: &[&str] = &[
    "bigint",
    "bigserial",
    "boolean",
    "bytea",
    "char",
    "cidr",
    "date",
    "double precision",
    "inet",
    "integer",
    "interval",
    "json",
    "jsonb",
    "numeric",
    "real",
    "smallint",
    "text",
    "time",
    "timestamp",
    "timestamptz",
    "tsvector",
    "uuid",
    "varchar",
    "xml",
];

/// Why it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// By somebody, or behind a point.
    ByHand,
    /// A space was typed: only what must come there is worth a list.
    BySpace,
}

pub(crate) fn completion(view: &View, at: Position, asked: Asked) -> Option<CompletionResponse> {
    let offset = view.offset(at);
    let text = &view.document.text;
    let line = &text[text[..offset].rfind(['\n', '\r']).map_or(0, |at| at + 1)..offset];
    if let Some(words) = line.trim_start().strip_prefix("--") {
        return allowance(words).map(CompletionResponse::Array);
    }
    let items = in_statement(view, offset, asked)?;
    let typed = typed(text, offset).to_lowercase();
    let fits = |it: &CompletionItem| it.label.trim_start_matches('"').to_lowercase().starts_with(&typed);
    let mut items: Vec<CompletionItem> = items.into_iter().filter(fits).collect();
    let is_incomplete = items.len() > MOST;
    items.truncate(MOST);
    Some(CompletionResponse::List(CompletionList { is_incomplete, items }))
}

/// The word that ends at the cursor.
fn typed(text: &str, offset: usize) -> &str {
    let is_part = |it: char| it.is_alphanumeric() || it == '_' || it == '$';
    let start = text[..offset]
        .rfind(|it| !is_part(it))
        .map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    &text[start..offset]
}

/// Behind `-- lockkeeper:` what it may say, and behind `allow` the rules.
fn allowance(comment: &str) -> Option<Vec<CompletionItem>> {
    let words = comment.trim_start().strip_prefix("lockkeeper:")?.trim_start();
    let Some(rule) = words.strip_prefix("allow ") else {
        let word =
            |label: &str, detail: &str| item(label, CompletionItemKind::KEYWORD, Some(detail.to_owned()));
        return Some(vec![
            word("allow", "accepts a hazard here, with a reason"),
            word("back", "says how old values are computed from new ones"),
        ]);
    };
    if rule.trim_start().contains(char::is_whitespace) {
        let because = item(
            "because",
            CompletionItemKind::KEYWORD,
            Some("without a reason it does not count".to_owned()),
        );
        return (!rule.contains("because")).then(|| vec![because]);
    }
    let rules = RULES.iter().map(|rule| CompletionItem {
        documentation: Some(Documentation::MarkupContent(markup(page::summary(rule.page).to_owned()))),
        insert_text: Some(format!("{} because ", rule.id)),
        ..item(rule.id, CompletionItemKind::ENUM_MEMBER, Some(rule.severity.id().to_owned()))
    });
    let unread = CompletionItem {
        insert_text: Some(format!("{UNREAD} because ")),
        ..item(UNREAD, CompletionItemKind::ENUM_MEMBER, Some("a statement that cannot be read".to_owned()))
    };
    Some(rules.chain([unread]).collect())
}

fn in_statement(view: &View, offset: usize, asked: Asked) -> Option<Vec<CompletionItem>> {
    let schemas = view.schemas();
    let sentence = Sentence::read(&view.document.text, statement_around(view, offset), schemas.clone())?;
    // A way back begins with what the way up leaves, so that the first of the schemas is the one of now in both.
    let schema = *schemas.first()?;
    if let Some(qualifier) = sentence.qualifier_at(offset) {
        return Some(match sentence.stands_for(&qualifier) {
            Some(relation) => columns(&schemas, relation),
            None => relations(schema, Some(&qualifier)),
        });
    }
    let expected = sentence.expected_at(offset);
    if asked == Asked::BySpace && expected == Expected::Any {
        return None;
    }
    Some(match expected {
        Expected::Relation => relations(schema, None),
        Expected::Type => types(schema),
        Expected::Constraint => constraints(&schemas, &sentence),
        Expected::Any => {
            let mut known: Vec<&RelationName> = sentence.relations().iter().map(|(_, name)| name).collect();
            known.dedup();
            let columns = known.into_iter().flat_map(|it| columns(&schemas, it));
            columns.chain(types(schema)).chain(relations(schema, None)).collect()
        }
    })
}

/// The statement that a place stands in or goes on with: from behind the one before it up to its own end.
fn statement_around(view: &View, offset: usize) -> Span {
    let statements = || view.analysis.statements().map(|(_, _, _, it)| it);
    let ended = |text: &str| text.ends_with(';');
    let start = statements()
        .filter(|it| it.end <= offset && ended(&view.document.text[it.span.start..it.end]))
        .map(|it| it.end)
        .max();
    let start = start
        .or_else(|| view.file().all_parts().map(|(it, _)| it.span.start).filter(|it| *it <= offset).max());
    let own = statements().find(|it| it.span.start <= offset && offset <= it.end);
    Span::new(start.unwrap_or(0), own.map_or(offset, |it| it.span.end).max(offset).max(start.unwrap_or(0)))
}

fn item(label: &str, kind: CompletionItemKind, detail: Option<String>) -> CompletionItem {
    CompletionItem { label: label.to_owned(), kind: Some(kind), detail, ..CompletionItem::default() }
}

fn columns(schemas: &[&Catalog], relation: &RelationName) -> Vec<CompletionItem> {
    let quoted = |name: &str, catalog: &Catalog| lockkeeper_core::dialect::quote(name, catalog.dialect());
    for catalog in schemas {
        if let Some(table) = catalog.table(relation) {
            let column = |it: &lockkeeper_core::catalog::ColumnState| {
                let null = if it.not_null { " NOT NULL" } else { "" };
                let detail = format!("{}{null} · {}", it.ty, relation.display(catalog.dialect()));
                item(&quoted(&it.name, catalog), CompletionItemKind::FIELD, Some(detail))
            };
            return table.columns.iter().map(column).collect();
        }
        if let Some(names) = catalog.view(relation).and_then(|it| it.columns.as_ref()) {
            let detail = relation.display(catalog.dialect());
            let column =
                |it: &String| item(&quoted(it, catalog), CompletionItemKind::FIELD, Some(detail.clone()));
            return names.iter().map(column).collect();
        }
    }
    Vec::new()
}

/// The relations of the schema; those of one of its schemas without that name before them.
fn relations(catalog: &Catalog, schema: Option<&str>) -> Vec<CompletionItem> {
    let is_shown = |name: &RelationName| schema.is_none_or(|it| *name.schema == *it);
    let mut found: Vec<CompletionItem> = catalog
        .relations()
        .filter(|(name, _)| is_shown(name))
        .map(|(name, relation)| {
            let (kind, what) = match &relation.kind {
                RelationKind::Table(_) => (CompletionItemKind::CLASS, "table"),
                RelationKind::View(_) => (CompletionItemKind::INTERFACE, "view"),
                RelationKind::Index(_) => (CompletionItemKind::REFERENCE, "index"),
                RelationKind::Sequence(_) => (CompletionItemKind::VALUE, "sequence"),
            };
            let label = match schema {
                Some(_) => lockkeeper_core::dialect::quote(&name.name, catalog.dialect()),
                None => name.sql(catalog.dialect()),
            };
            let rank = if kind == CompletionItemKind::CLASS { '1' } else { '2' };
            CompletionItem {
                sort_text: Some(format!("{rank}{label}")),
                ..item(&label, kind, Some(what.to_owned()))
            }
        })
        .collect();
    found.sort_by(|one, other| one.sort_text.cmp(&other.sort_text));
    found
}

fn types(catalog: &Catalog) -> Vec<CompletionItem> {
    let mut own: Vec<String> = catalog.types().map(|(name, _)| name.sql(catalog.dialect())).collect();
    own.sort();
    let own = own.into_iter().map(|it| item(&it, CompletionItemKind::ENUM, Some("type".to_owned())));
    let known = TYPES.iter().map(|it| item(it, CompletionItemKind::KEYWORD, Some("type".to_owned())));
    let ranked = |it: CompletionItem| CompletionItem { sort_text: Some(format!("3{}", it.label)), ..it };
    own.chain(known).map(ranked).collect()
}

fn constraints(schemas: &[&Catalog], sentence: &Sentence<'_>) -> Vec<CompletionItem> {
    let mut found: Vec<CompletionItem> = Vec::new();
    for (_, relation) in sentence.relations() {
        let Some((catalog, table)) = schemas.iter().find_map(|it| Some((it, it.table(relation)?))) else {
            continue;
        };
        let detail = relation.display(catalog.dialect());
        let name = |it: &str| lockkeeper_core::dialect::quote(it, catalog.dialect());
        let items = table
            .constraints
            .iter()
            .map(|it| item(&name(&it.name), CompletionItemKind::REFERENCE, Some(detail.clone())));
        found.extend(
            items
                .collect::<Vec<_>>()
                .into_iter()
                .filter(|it| !found.iter().any(|own| own.label == it.label))
                .collect::<Vec<_>>(),
        );
    }
    found
}
