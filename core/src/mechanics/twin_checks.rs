//! What a table must be like so that its twin can take its place: refused in words where the migrations show it, counted by a query where only
//! the server knows.

use crate::catalog::{Demand, RelationName, Table};
use crate::engine::Count;
use crate::plan::Criterion;

use super::referencing::Reference;
use super::scene::Scene;
use super::twin::Twin;
use super::{Refusal, backfill};

/// The columns that tell rows apart.
///
/// # Errors
/// [`Refusal`] where something hangs on the table that cannot be carried over.
pub(crate) fn refuse(
    scene: &Scene<'_>,
    table: &RelationName,
    state: &Table,
    twin: &RelationName,
) -> Result<Vec<String>, Refusal> {
    let shown = table.display(scene.dialect());
    let no = |why: &str| {
        Err(Refusal::new(format!("{shown} {why}: take a window, or pg_repack where it can do this")))
    };
    let key = match hanging(scene, table, state) {
        Ok(key) => key,
        Err(why) => return no(&why),
    };
    if !state.statistics.is_empty() {
        return no("has extended statistics, whose names would change");
    }
    if scene.catalog.relation(twin).is_some() {
        return no(&format!("has a neighbour named {} already", twin.name));
    }
    Ok(key)
}

/// The columns that tell rows apart, or what hangs on a table that cannot follow it to another.
pub(crate) fn hanging(scene: &Scene<'_>, table: &RelationName, state: &Table) -> Result<Vec<String>, String> {
    let no = |why: &str| Err(why.to_owned());
    let Some(key) = backfill::key(state) else {
        return no(
            "has no primary key, nor a unique index on columns that refuse NULL, so a copy of it cannot be kept in step",
        );
    };
    if state.partition_by.is_some()
        || state.partition_of.is_some()
        || !state.children.is_empty()
        || !state.inherits.is_empty()
        || state.of_type.is_some()
    {
        return no("is part of a partitioned or inherited table, or of a type");
    }
    if let Some((view, _)) = scene.catalog.views_on(table).first() {
        let view = view.display(scene.dialect());
        return no(&format!("is read by the view {view}, which would go on reading the old table"));
    }
    if !state.policies.is_empty() {
        return no("has row security policies, whose words are not kept");
    }
    if !state.rules.is_empty() {
        return no("has rules, whose words are not kept");
    }
    if scene.catalog.is_published(table) {
        return no("is published: subscribers would have to know its twin, and publish what comes after it");
    }
    refuse_constraints(table, state, &key)?;
    let unknown = |it: &&crate::catalog::ColumnState| it.identity.is_some() && it.sequence.is_none();
    if let Some(column) = state.columns.iter().find(unknown) {
        return no(&format!("has an identity, {}, whose sequence is not known", column.name));
    }
    Ok(key)
}

/// Rows come over one by one, and what is looked at only when a statement ends would be looked at too early.
fn refuse_constraints(table: &RelationName, state: &Table, key: &[String]) -> Result<(), String> {
    for constraint in &state.constraints {
        let name = &constraint.name;
        let is_key = match &constraint.demand {
            Demand::PrimaryKey(columns) | Demand::Unique(columns) => columns.as_slice() == key,
            _ => false,
        };
        if is_key && constraint.temporal {
            return Err(format!("has a key, {name}, without overlaps: no upsert goes by such a one"));
        }
        if is_key && constraint.deferrable {
            return Err(format!("has a key, {name}, that is deferrable: no upsert goes by such a one"));
        }
        if constraint.demand.has_index() && constraint.deferrable && !constraint.initially_deferred {
            return Err(format!("has a constraint, {name}, that is looked at when a statement ends"));
        }
        if !constraint.enforced {
            return Err(format!("has a constraint, {name}, that is not enforced"));
        }
        if let Demand::ForeignKey { references, key, .. } = &constraint.demand
            && references == table
            && key.actions.to_lowercase().contains("restrict")
        {
            return Err(format!(
                "has a foreign key, {name}, to itself with RESTRICT, which cannot be looked at later"
            ));
        }
    }
    Ok(())
}

/// What was made is what the change itself would make, so that each part of it finds its name.
///
/// # Errors
/// [`Refusal`] where the change brings more than can be made beside the table.
pub(super) fn refuse_shape(twin: &Twin<'_>) -> Result<(), Refusal> {
    let (after, made) = (&twin.shape.after, &twin.made);
    let alike = after.indexes.len() == made.indexes.len()
        && after.columns.len() == made.columns.len()
        && after.indexes.len() >= twin.state.indexes.len();
    let key_added = |it: &&crate::catalog::ConstraintState| {
        matches!(it.demand, Demand::ForeignKey { .. }) && twin.state.constraint(&it.name).is_none()
    };
    if !alike || after.constraints.iter().any(|it| key_added(&it)) {
        let (shown, _) = twin.shown();
        return Err(Refusal::new(format!(
            "the change of {shown} brings a foreign key or more with it: add that by a statement of its own"
        )));
    }
    Ok(())
}

/// What no statement of ours carries over is not there.
pub(crate) fn nothing_unknown(
    scene: &Scene<'_>,
    table: &RelationName,
    state: &Table,
    references: &[Reference<'_>],
) -> Criterion {
    let triggers: Vec<&str> = state.triggers.iter().map(|it| it.name.as_str()).collect();
    let keys = references.iter().map(|it| it.constraint.name.as_str());
    let constraints: Vec<&str> = keys.chain(state.constraints.iter().map(|it| it.name.as_str())).collect();
    let table = &scene.sql(table);
    let query = scene.count(&Count::Unshown { table, triggers: &triggers, constraints: &constraints });
    Criterion::counts_nothing(
        "nothing hangs on the table that the migrations do not show: views, functions that name its type, row security, statistics, \
         publications, triggers that are disabled",
        query,
    )
}

/// What `LIKE` leaves out is the same on the twin.
pub(crate) fn nothing_missing(twin: &Twin<'_>) -> Criterion {
    let (own, there) = twin.sql();
    let place = twin.shape.keeps_place;
    let query = twin.scene.count(&Count::OtherSettings { of: &own, on: &there, place });
    Criterion::counts_nothing(
        "owner, privileges, storage parameters, replica identity, statistics targets and comment are those of the table: GRANT, \
         ALTER TABLE and COMMENT what is missing",
        query,
    )
}

/// Each index found its like, so that it takes the right name.
pub(crate) fn indexes_are_alike(twin: &Twin<'_>) -> Criterion {
    let sql = |it: &RelationName| twin.scene.sql(it);
    let pairs: Vec<(String, String)> =
        twin.index_pairs().map(|(own, there)| (sql(own), sql(there))).collect();
    Criterion::counts_nothing(
        "each index has its like",
        twin.scene.count(&Count::UnlikeIndexes { pairs: &pairs }),
    )
}
