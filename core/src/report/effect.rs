//! Effects on the wire.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Place, TargetReport};
use crate::catalog::Catalog;
use crate::check::Checked;
use crate::dialect::Target;
use crate::effect::Effect;
use crate::text::LineIndex;

/// What `lockkeeper effect --format json` prints.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct EffectReport {
    /// Always 1; fields are added, never changed.
    pub version: u32,
    /// What the statements would run on.
    pub target: TargetReport,
    /// What is known of the schema before the first statement, in words.
    pub schema: String,
    /// The statements in order.
    pub statements: Vec<StatementEffect>,
}

/// What one statement does.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct StatementEffect {
    /// The statement.
    pub text: String,
    /// Its place.
    pub span: Place,
    /// What it does.
    #[serde(flatten)]
    pub effect: EffectBody,
}

/// What a statement or operation does.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct EffectBody {
    /// The strongest lock on each relation that existed before, indexes included.
    pub locks: Vec<LockReport>,
    /// `nobody`, `schema-changes`, `writes`, `reads-and-writes`.
    pub waits: String,
    /// The heap is rewritten.
    pub heap_rewrite: bool,
    /// An index that was there is rebuilt.
    pub index_rebuild: bool,
    /// All rows of a relation are read.
    pub full_scan: bool,
    /// It can run inside a transaction.
    pub transactional: bool,
    /// Why it fails; `null` where it does not.
    pub fails: Option<String>,
    /// Whether it was understood; else the strongest lock of its kind is assumed.
    pub known: bool,
    /// What was assumed because the schema does not show it.
    pub assumed: Vec<String>,
    /// Where the facts come from.
    pub sources: Vec<String>,
}

/// A lock on a relation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LockReport {
    /// The relation, qualified unless it is in the default schema.
    pub relation: String,
    /// The mode as the manual calls it.
    pub mode: String,
    /// Whether the relation is an index.
    pub index: bool,
}

/// The effect on the wire; strongest locks first.
pub fn effect_body(effect: &Effect, catalog: &Catalog) -> EffectBody {
    let mut locks: Vec<_> = effect.locks.iter().collect();
    locks.sort_by_key(|(name, mode)| (std::cmp::Reverse(**mode), (*name).clone()));
    let locks = locks.into_iter().map(|(name, mode)| LockReport {
        relation: name.display(catalog.dialect()),
        mode: mode.title().to_owned(),
        index: effect.indexes.contains(name),
    });
    EffectBody {
        locks: locks.collect(),
        waits: effect.waits.id().to_owned(),
        heap_rewrite: effect.heap_rewrite,
        index_rebuild: effect.index_rebuild,
        full_scan: effect.full_scan,
        transactional: effect.transactional,
        fails: effect.fails.clone(),
        known: effect.known,
        assumed: effect.assumed.clone(),
        sources: effect.sources.iter().map(|it| (*it).to_owned()).collect(),
    }
}

/// The effect of one statement.
pub fn statement_effect(
    text: &str,
    lines: &LineIndex,
    statement: &crate::check::CheckedStatement,
    catalog: &Catalog,
) -> StatementEffect {
    StatementEffect {
        text: statement.span.of(text).to_owned(),
        span: Place::of(statement.span, text, lines),
        effect: effect_body(&statement.effect, catalog),
    }
}

/// The effects of all statements of a text.
pub fn effect_report<'a>(
    text: &str,
    parts: impl IntoIterator<Item = &'a Checked>,
    target: &Target,
    schema: String,
) -> EffectReport {
    let lines = LineIndex::new(text);
    let mut statements: Vec<StatementEffect> = Vec::new();
    for part in parts {
        statements.extend(part.statements.iter().map(|it| statement_effect(text, &lines, it, &part.after)));
    }
    EffectReport { version: 1, target: target.into(), schema, statements }
}
