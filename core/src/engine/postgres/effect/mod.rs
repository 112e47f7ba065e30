//! PostgreSQL 11 to 19. Facts from the manual (13.3 Explicit Locking, the pages of the statements) and from the
//! server's source; all were compared with what nine versions did (`tests/src/oracle.rs`).

mod alter;
mod builtin;
mod cast;
mod change_type;
mod constraint;
mod data;
mod defaults;
mod draft;
mod drop;
mod generated;
mod immutable;
mod index;
mod names;
mod object;
mod partition;
mod repack;
mod retyped;
mod table;
mod twice;

pub(in crate::engine) use alter::pass;
pub use builtin::{drifts, volatility};
pub use cast::loss;

use crate::catalog::{Catalog, Session};
use crate::dialect::{LockMode, Target};
use crate::effect::Effect;
use crate::operation::{Kind, Operation, RelationWord, Unknown};
use draft::Draft;

/// What an operation does.
pub(in crate::engine) fn of(
    operation: &Operation,
    target: &Target,
    catalog: &Catalog,
    session: &Session,
) -> Effect {
    let mut draft = Draft::new(target, catalog, session);
    let draft_ref = &mut draft;
    match &operation.kind {
        Kind::CreateTable(it) => table::create(draft_ref, it),
        Kind::AlterTable(it) => alter::alter(draft_ref, it),
        Kind::CreateIndex(it) => index::create(draft_ref, it),
        Kind::Reindex(it) => index::reindex(draft_ref, it),
        Kind::Drop(it) => drop::drop(draft_ref, it),
        Kind::AlterObject(it) => object::alter(draft_ref, it),
        Kind::CreateView(it) => object::create_view(draft_ref, it),
        Kind::Refresh(it) => object::refresh(draft_ref, it),
        Kind::CreateType(_) | Kind::CreateSchema(_) => {}
        Kind::CreateExtension(_) => draft_ref.cite("an extension's script may take any lock: read it"),
        Kind::AlterType(it) => object::alter_type(draft_ref, it),
        Kind::CreateDomain(_) => {}
        Kind::AlterDomain(it) => object::alter_domain(draft_ref, it),
        Kind::CreateSequence(it) => object::create_sequence(draft_ref, it),
        Kind::AlterSequence(it) => object::alter_sequence(draft_ref, it),
        Kind::CreateFunction(it) => object::create_function(draft_ref, it),
        Kind::CreateTrigger(it) => object::create_trigger(draft_ref, it),
        Kind::CreatePolicy(it) | Kind::AlterPolicy(it) | Kind::CreateRule(it) => {
            object::on_table(draft_ref, it, LockMode::AccessExclusive);
        }
        Kind::AlterOnTable(it) => object::rename_on_table(draft_ref, it),
        Kind::Publication(it) => object::publication(draft_ref, it),
        Kind::CreateStatistics(it) => object::create_statistics(draft_ref, it),
        Kind::Maintain(it) => index::maintain(draft_ref, it),
        Kind::Lock(it) => data::lock(draft_ref, it),
        Kind::Truncate(it) => data::truncate(draft_ref, it),
        Kind::Comment(it) => object::comment(draft_ref, it),
        Kind::Grant(it) => object::grant(draft_ref, it),
        Kind::Set(_) | Kind::Transaction(_) | Kind::DefaultPrivileges(_) => {}
        Kind::Insert(it) => data::insert(draft_ref, it),
        Kind::Update(it) => data::update(draft_ref, it),
        Kind::Delete(it) => data::delete(draft_ref, it),
        Kind::Merge(it) => data::merge(draft_ref, it),
        Kind::Copy(it) => data::copy(draft_ref, it),
        Kind::Query(it) => data::query(draft_ref, it),
        // The statements of the block are operations of their own.
        Kind::Do(_) => {}
        Kind::Other(what) => other(draft_ref, what),
        Kind::Unknown(it) => unknown(draft_ref, it),
    }
    let mut effect = draft.finish();
    if effect.sources.is_empty() && effect.known && !effect.locks.is_empty() {
        effect.sources.push(page(&operation.kind));
    }
    effect
}

/// The manual's page of a statement: the source of what is not cited closer.
fn page(kind: &Kind) -> &'static str {
    match kind {
        Kind::CreateTable(_) => "manual, CREATE TABLE; locks measured on 11 to 19",
        Kind::AlterTable(it) => match it.relation {
            RelationWord::Index => "manual, ALTER INDEX; locks measured on 11 to 19",
            RelationWord::View | RelationWord::MaterializedView => {
                "manual, ALTER VIEW; locks measured on 11 to 19"
            }
            RelationWord::Sequence => "manual, ALTER SEQUENCE; locks measured on 11 to 19",
            RelationWord::Table | RelationWord::ForeignTable => {
                "manual, ALTER TABLE; locks measured on 11 to 19"
            }
        },
        Kind::CreateIndex(_) => "manual, CREATE INDEX; locks measured on 11 to 19",
        Kind::Reindex(_) => "manual, REINDEX; locks measured on 11 to 19",
        Kind::Drop(_) => "manual, the DROP of each kind of object; locks measured on 11 to 19",
        Kind::CreateTrigger(_) => "manual, CREATE TRIGGER; locks measured on 11 to 19",
        Kind::Refresh(_) => "manual, REFRESH MATERIALIZED VIEW; locks measured on 11 to 19",
        Kind::Maintain(_) => "manual, VACUUM, ANALYZE, CLUSTER, REPACK; locks measured on 11 to 19",
        Kind::Truncate(_) => "manual, TRUNCATE; locks measured on 11 to 19",
        Kind::Lock(_) => "manual, LOCK",
        Kind::Insert(_)
        | Kind::Update(_)
        | Kind::Delete(_)
        | Kind::Merge(_)
        | Kind::Copy(_)
        | Kind::Query(_) => "manual, 13.3 Explicit Locking; locks measured on 11 to 19",
        _ => "manual, 13.3 Explicit Locking and the page of the statement; locks measured on 11 to 19",
    }
}

/// Whether a value that a transaction adds to an enum can be used before it ends: never in an enum that was there
/// before; in one that the same transaction made, on 11, and again from 17 on (measured on 11, 13, 15 and 17).
pub fn is_usable_at_once(value: &crate::catalog::AddedValue, target: &Target) -> bool {
    value.of_new_type && !(12..17).contains(&target.version.major)
}

fn other(draft: &mut Draft<'_>, what: &str) {
    if what.contains("ALL IN TABLESPACE") {
        table::all_in_tablespace(draft);
    }
    if matches!(what, "CREATE DATABASE" | "ALTER SYSTEM" | "CREATE TABLESPACE" | "CREATE SUBSCRIPTION") {
        draft.effect.transactional = false;
    }
}

/// Assumed to take the strongest lock that its first words allow.
fn unknown(draft: &mut Draft<'_>, unknown: &Unknown) {
    draft.effect.known = false;
    if let Some(relation) = &unknown.relation {
        let relation = draft.catalog.resolve(relation);
        draft.assume(format!("{}: ACCESS EXCLUSIVE, as the strongest that it can take", unknown.head));
        draft.lock(&relation, LockMode::AccessExclusive);
    }
}
