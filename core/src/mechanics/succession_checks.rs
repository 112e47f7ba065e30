//! What two tables must be like so that one can take the place of the other: refused in words, or counted by a query.

use crate::catalog::{Catalog, ColumnState, Demand, Table};
use crate::engine::Capability;
use crate::operation::{Bound, Kind, PartitionBound, TypeName};
use crate::plan::Criterion;

use super::mirror::Pair;
use super::rebuilt::Rebuilt;
use super::scene::Scene;
use super::succession::Succession;
use super::{Refusal, backfill, referencing, twin_checks};

/// The columns that come over, and those of them that tell rows apart in both tables.
pub(crate) struct Followed {
    pub columns: Vec<Pair>,
    pub key: Vec<Pair>,
}

/// Looks at both tables.
///
/// # Errors
/// [`Refusal`] where one cannot follow the other.
pub(crate) fn followed(
    scene: &Scene<'_>,
    rebuilt: &Rebuilt,
    state: &Table,
    made: &Table,
) -> Result<Followed, Refusal> {
    let shown = rebuilt.table.display(scene.dialect());
    let read = || {
        refuse(scene, rebuilt, state)?;
        refuse_successor(scene, rebuilt, made)?;
        refuse_sequences(scene, rebuilt, state, made)?;
        let columns = columns(scene, rebuilt, state, made)?;
        let key = key(state, made, &columns)?;
        Ok(Followed { columns, key })
    };
    read().map_err(|why: String| Refusal::new(format!("{shown} {why}")))
}

/// What cannot be carried over.
fn refuse(scene: &Scene<'_>, rebuilt: &Rebuilt, state: &Table) -> Result<(), String> {
    let no = |why: &str| Err(why.to_owned());
    if let Some(span) = rebuilt.foreign {
        let words: Vec<&str> = span.of(scene.text).split_whitespace().take(6).collect();
        return no(&format!(
            "is made rebuilt, and between its statements stands one that is no part of that: {} …; put it into a migration of its own",
            words.join(" ")
        ));
    }
    twin_checks::hanging(scene, &rebuilt.table, state)?;
    if rebuilt.cascades {
        return no("is dropped with CASCADE: drop what hangs on it first, in a migration of its own");
    }
    let references = referencing::to(scene, &rebuilt.table, |_, _| true).map_err(|it| it.reason)?;
    if let Some(reference) = references.first() {
        return no(&format!(
            "is what {} points at, which would stay with the old table: drop that first, and add one to the new table after",
            reference.shown(scene)
        ));
    }
    match state.triggers.first() {
        Some(trigger) => no(&format!(
            "has the trigger {}, which the new table would not have: drop it first, and make it again after",
            trigger.name
        )),
        None => Ok(()),
    }
}

/// What the new table cannot be.
fn refuse_successor(scene: &Scene<'_>, rebuilt: &Rebuilt, made: &Table) -> Result<(), String> {
    let no = |why: &str| Err(why.to_owned());
    if scene.catalog.relation(&rebuilt.interim).is_some() {
        return no(&format!("has a neighbour named {} already", rebuilt.interim.name));
    }
    let itself = made.constraints.iter().find(|it| match &it.demand {
        Demand::ForeignKey { references, .. } => [&rebuilt.table, &rebuilt.interim].contains(&references),
        _ => false,
    });
    if let Some(key) = itself {
        return no(&format!("would point at itself by {}: add that key after", key.name));
    }
    if rebuilt.partitioned && made.children.is_empty() {
        return no("would have no partition: make them in the same migration");
    }
    let identity = made.columns.iter().find(|it| it.identity.is_some());
    if rebuilt.partitioned && !scene.can(Capability::IdentityOnPartitioned) && identity.is_some() {
        return no(&format!(
            "would be partitioned and have an identity, which needs {}: give the column a sequence as its default",
            scene.since(Capability::IdentityOnPartitioned)
        ));
    }
    match identity.filter(|it| it.sequence.is_none()) {
        Some(column) => no(&format!("would have an identity, {}, whose sequence is not known", column.name)),
        None => Ok(()),
    }
}

/// Each column of the old table is copied as it is.
fn columns(scene: &Scene<'_>, rebuilt: &Rebuilt, state: &Table, made: &Table) -> Result<Vec<Pair>, String> {
    let Some(copied) = rebuilt.copied.as_ref().filter(|it| it.condition.is_none()) else {
        return Err("is not copied whole, by INSERT … SELECT of its columns and no more: rows that are left out would be lost".to_owned());
    };
    let mut pairs = Vec::new();
    for (to, value) in &copied.columns {
        let Some(from) = copied.plain(to, scene.dialect()) else {
            return Err(format!(
                "gets a value for {to} that is computed ({}): copy the columns as they are, and change them after",
                value.text
            ));
        };
        let (Some(own), Some(there)) = (state.column(&from), made.column(to)) else {
            return Err(format!("has no column {from}, or the new table none called {to}"));
        };
        if !alike(&own.ty, &there.ty) {
            return Err(format!(
                "has {from} of the type {}, and the new table {to} of {}: change the type before or after",
                own.ty, there.ty
            ));
        }
        if own.generated.is_none() && there.generated.is_none() {
            pairs.push(Pair { from, to: to.clone() });
        }
    }
    let left = |it: &&ColumnState| it.generated.is_none() && pairs.iter().all(|pair| pair.from != it.name);
    match state.columns.iter().find(left) {
        Some(column) => Err(format!(
            "has a column that is not copied, {}: drop it in a migration of its own, before or after",
            column.name
        )),
        None => Ok(pairs),
    }
}

/// Whether values are written the same way in both.
fn alike(one: &TypeName, other: &TypeName) -> bool {
    const FAMILIES: [&[&str]; 2] = [&["int2", "int4", "int8"], &["text", "varchar"]];
    one.is_same(other) || FAMILIES.iter().any(|family| one.is_any(family) && other.is_any(family))
}

/// The new key, which holds an old one: both tables have a row for each of its values at most.
fn key(state: &Table, made: &Table, pairs: &[Pair]) -> Result<Vec<Pair>, String> {
    let own = |key: Vec<String>| -> Option<Vec<Pair>> {
        key.iter().map(|column| pairs.iter().find(|it| it.to == *column).cloned()).collect()
    };
    let deferrable = |key: &[String]| {
        made.constraints.iter().any(|it| match &it.demand {
            Demand::PrimaryKey(columns) | Demand::Unique(columns) => columns == key && it.deferrable,
            _ => false,
        })
    };
    let holds = |pairs: &[Pair]| {
        backfill::keys(state).any(|key| key.iter().all(|column| pairs.iter().any(|it| it.from == *column)))
    };
    let usable = backfill::keys(made).filter(|it| !deferrable(it)).filter_map(own);
    let Some(key) = usable.into_iter().find(|it| holds(it)) else {
        return Err(
            "would have no key that holds the old one: give the new table a primary key of the old key's columns, with those that it is \
             partitioned by"
                .to_owned(),
        );
    };
    let nullable = |it: &&Pair| state.column(&it.from).is_none_or(|column| !column.not_null);
    match key.iter().find(nullable) {
        Some(pair) => Err(format!(
            "may have NULL in {}, which is in the new key: ALTER COLUMN … SET NOT NULL first, in a migration of its own",
            pair.from
        )),
        None => Ok(key),
    }
}

/// A sequence goes with the table that owns it.
fn refuse_sequences(scene: &Scene<'_>, rebuilt: &Rebuilt, state: &Table, made: &Table) -> Result<(), String> {
    for sequence in state.columns.iter().filter_map(|it| it.sequence.as_ref()).filter(|_| rebuilt.dropped) {
        let used = |it: &ColumnState| {
            let default = it.default.as_ref().map(|it| it.text.to_lowercase()).unwrap_or_default();
            default.contains("nextval") && default.contains(&sequence.name.to_lowercase())
        };
        let moved = rebuilt.before.iter().chain(&rebuilt.after).any(|(up, _)| {
            let alters =
                |it: &&Kind| matches!(it, Kind::AlterSequence(it) if scene.resolve(&it.name) == *sequence);
            up.operations().iter().any(alters)
        });
        if made.columns.iter().any(used) && !moved {
            return Err(format!(
                "owns the sequence {}, which the new table draws from and which goes with the old one: ALTER SEQUENCE … OWNED BY the new table's \
                 column first",
                sequence.display(scene.dialect())
            ));
        }
    }
    Ok(())
}

/// No row is refused by the new table: a partition takes it, it has what must not be NULL, and satisfies new checks.
pub(super) fn every_row_is_taken(succession: &Succession<'_>) -> Criterion {
    let Succession { scene, rebuilt, state, made, .. } = succession;
    let dialect = scene.dialect();
    let mut refused: Vec<String> = Vec::new();
    let mut said = "the new table takes every row";
    if rebuilt.partitioned {
        match taken(scene, made, succession.beside) {
            Some(taken) if taken == "true" => {}
            Some(taken) => refused.push(format!("({taken}) IS NOT TRUE")),
            None => {
                said = "the new table takes every row; whether each has its partition no query of ours tells"
            }
        }
    }
    for pair in &succession.there.columns {
        let own = state.column(&pair.from).is_none_or(|it| !it.not_null);
        if own && made.column(&pair.to).is_some_and(|it| it.not_null) {
            refused.push(format!("{} IS NULL", scene.quote(&pair.to)));
        }
    }
    let copied = |it: &String| succession.there.columns.iter().any(|pair| pair.to == *it);
    for constraint in &made.constraints {
        if let Demand::Check(check) = &constraint.demand
            && check.columns(dialect).iter().all(copied)
        {
            refused.push(format!("({}) IS FALSE", check.text));
        }
    }
    if refused.is_empty() {
        return Criterion::of_people(said);
    }
    let named = |it: &Pair| format!("{} AS {}", scene.quote(&it.from), scene.quote(&it.to));
    let columns: Vec<String> = succession.there.columns.iter().map(named).collect();
    let query = format!(
        "SELECT count(*) FROM (SELECT {} FROM {}) AS _row WHERE {}",
        columns.join(", "),
        scene.sql(&rebuilt.table),
        refused.join(" OR ")
    );
    Criterion::counts_nothing(said, query)
}

/// The rows that a partition of a table takes, as a condition; `None` where no condition of ours says it.
fn taken(scene: &Scene<'_>, table: &Table, catalog: &Catalog) -> Option<String> {
    let Some(by) = &table.partition_by else { return Some("true".to_owned()) };
    let mut parts = Vec::new();
    for child in &table.children {
        let child = catalog.table(child)?;
        let below = taken(scene, child, catalog)?;
        match &child.partition_of.as_ref()?.1 {
            PartitionBound::Default if below == "true" => return Some(below),
            PartitionBound::Default => return None,
            bound => {
                let mut within = Bound::read(by, bound, scene.dialect()).ok()?.within(scene.dialect());
                within.extend((below != "true").then(|| format!("({below})")));
                parts.push(format!("({})", within.join(" AND ")));
            }
        }
    }
    Some(parts.join(" OR "))
}
