//! What a table must be like so that its twin can take its place: refused in words where the migrations show it, counted by a query where only
//! the server knows.

use crate::catalog::{Demand, RelationName, Table};
use crate::dialect::quote_literal;
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
    let name = quote_literal(&scene.sql(table));
    let triggers = names(state.triggers.iter().map(|it| it.name.as_str()));
    let keys = references.iter().map(|it| it.constraint.name.as_str());
    let keys = names(keys.chain(state.constraints.iter().map(|it| it.name.as_str())));
    let query = format!(
        "SELECT (SELECT count(*) FROM pg_class WHERE oid = {name}::regclass AND (relrowsecurity OR relforcerowsecurity))\n\
         \x20 + (SELECT count(*) FROM pg_trigger WHERE tgrelid = {name}::regclass AND NOT tgisinternal\n\
         \x20    AND (tgenabled <> 'O' OR tgname <> ALL ({triggers})))\n\
         \x20 + (SELECT count(*) FROM pg_constraint WHERE {name}::regclass IN (conrelid, confrelid) AND contype = 'f'\n\
         \x20    AND conname <> ALL ({keys}))\n\
         \x20 + (SELECT count(*) FROM pg_rewrite WHERE ev_class = {name}::regclass)\n\
         \x20 + (SELECT count(*) FROM pg_inherits WHERE {name}::regclass IN (inhrelid, inhparent))\n\
         \x20 + (SELECT count(*) FROM pg_statistic_ext WHERE stxrelid = {name}::regclass)\n\
         \x20 + (SELECT count(*) FROM pg_publication_tables WHERE format('%I.%I', schemaname, tablename)::regclass = {name}::regclass)\n\
         \x20 + (SELECT count(*) FROM pg_depend WHERE deptype = 'n' AND classid IN ('pg_rewrite'::regclass, 'pg_proc'::regclass,\n\
         \x20    'pg_class'::regclass) AND (refclassid = 'pg_class'::regclass AND refobjid = {name}::regclass\n\
         \x20    OR refclassid = 'pg_type'::regclass AND refobjid = (SELECT reltype FROM pg_class WHERE oid = {name}::regclass)))"
    );
    Criterion::counts_nothing(
        "nothing hangs on the table that the migrations do not show: views, functions that name its type, row security, statistics, \
         publications, triggers that are disabled",
        query,
    )
}

/// What `LIKE` leaves out is the same on the twin.
pub(crate) fn nothing_missing(twin: &Twin<'_>) -> Criterion {
    let (own, there) = twin.sql();
    let place = if twin.shape.keeps_place { ", reltablespace, to_jsonb(c) ->> 'relam'" } else { "" };
    let of_table = |name: &str| {
        format!(
            "SELECT relowner, relacl::text, reloptions::text, relreplident, obj_description(oid, 'pg_class'){place}\n\
             \x20   FROM pg_class c WHERE oid = {}::regclass",
            quote_literal(name)
        )
    };
    let of_columns = |name: &str| {
        format!(
            "SELECT attname, attacl::text, attstattarget, attoptions::text FROM pg_attribute\n\
             \x20   WHERE attrelid = {}::regclass AND attnum > 0 AND NOT attisdropped",
            quote_literal(name)
        )
    };
    let query = format!(
        "SELECT (SELECT count(*) FROM ({} EXCEPT {}) one)\n  + (SELECT count(*) FROM ({} EXCEPT {}) one)",
        of_table(&own),
        of_table(&there),
        of_columns(&own),
        of_columns(&there)
    );
    Criterion::counts_nothing(
        "owner, privileges, storage parameters, replica identity, statistics targets and comment are those of the table: GRANT, \
         ALTER TABLE and COMMENT what is missing",
        query,
    )
}

/// Each index found its like, so that it takes the right name.
pub(crate) fn indexes_are_alike(twin: &Twin<'_>) -> Criterion {
    let pair = |(own, there): (&RelationName, &RelationName)| {
        let name = |it: &RelationName| quote_literal(&twin.scene.sql(it));
        format!("({}, {})", name(own), name(there))
    };
    let pairs: Vec<String> = twin.index_pairs().map(pair).collect();
    let definition = |name: &str| format!("substring(pg_get_indexdef(to_regclass({name})) from ' USING .*')");
    Criterion::counts_nothing(
        "each index has its like",
        format!(
            "SELECT count(*) FROM (VALUES {}) AS pair (own, there) WHERE to_regclass(there) IS NULL OR {} IS DISTINCT FROM {}",
            pairs.join(", "),
            definition("own"),
            definition("there")
        ),
    )
}

/// Names as an array of SQL.
fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let literals: Vec<String> = names.map(quote_literal).collect();
    format!("ARRAY[{}]::name[]", literals.join(", "))
}
