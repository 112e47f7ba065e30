//! After the way back the schema is another one than before the migration.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Catalog, Demand, RelationKind, RelationName, Table};
use crate::dialect::Dialect;
use crate::hazards::{Back, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation, TableAction};

/// After the way back the schema is another one than before the migration.
pub(crate) static RULE: Rule = Rule {
    id: "incomplete-down",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("incomplete_down.md"),
    trigger: Trigger::Back(check),
};

/// How many differences are told.
const TOLD: usize = 3;

fn check(back: &Back<'_>) -> Vec<Hazard> {
    let Some(first) = back.steps_back().next() else { return Vec::new() };
    if !back.is_known() {
        return Vec::new();
    }
    let touched: BTreeSet<RelationName> = back.up.iter().flat_map(|it| touched(it, back.before)).collect();
    let mut found: Vec<String> = touched.iter().flat_map(|it| differences(it, back)).collect();
    let perhaps = dropped_perhaps(back);
    found.retain(|it| !perhaps.iter().any(|name| it.contains(name.as_str())));
    if found.is_empty() {
        return Vec::new();
    }
    let more = found.len().saturating_sub(TOLD);
    let mut message = format!("behind it {}", found[..found.len().min(TOLD)].join(", "));
    if more > 0 {
        message.push_str(&format!(", and {more} more"));
    }
    vec![Hazard::new(&RULE, first.span, message)]
}

/// What the way up drops where it is there: somebody made it by hand, and the way back may make it again.
fn dropped_perhaps(back: &Back<'_>) -> Vec<String> {
    let names = |operation: &&Operation| match &operation.kind {
        Kind::Drop(drop) if drop.if_exists => drop.names.iter().map(|it| it.name.clone()).collect(),
        Kind::AlterTable(alter) => match &alter.action {
            TableAction::DropConstraint { name, if_exists: true, .. } => vec![name.name.clone()],
            TableAction::DropColumn { column, if_exists: true, .. } => vec![column.name.clone()],
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    let unknown = |name: &String| {
        back.before.relations().all(|(_, it)| match &it.kind {
            RelationKind::Table(table) => table.constraint(name).is_none() && table.column(name).is_none(),
            _ => true,
        })
    };
    back.up.iter().flat_map(names).filter(unknown).collect()
}

/// The tables, views and sequences that an operation of the way up makes, changes or drops.
fn touched(operation: &Operation, before: &Catalog) -> Vec<RelationName> {
    let of =
        |name: &RelationName| before.index(name).map_or_else(|| name.clone(), |(table, _)| table.clone());
    match &operation.kind {
        Kind::Drop(drop) if drop.on_table.is_none() => {
            drop.names.iter().map(|name| of(&before.resolve(name))).collect()
        }
        Kind::CreateTable(_)
        | Kind::CreateIndex(_)
        | Kind::CreateView(_)
        | Kind::CreateTrigger(_)
        | Kind::Drop(_) => operation.relation().map(|name| before.resolve(name)).into_iter().collect(),
        Kind::CreateSequence(create) => vec![before.resolve(&create.name)],
        Kind::AlterTable(alter) => {
            let mut names = vec![of(&before.resolve(&alter.table))];
            if let TableAction::RenameTo { to } = &alter.action {
                names.push(before.resolve(&alter.table.sibling(&to.name)));
            }
            names
        }
        _ => Vec::new(),
    }
}

fn differences(name: &RelationName, back: &Back<'_>) -> Vec<String> {
    let shown = name.display(back.before.dialect());
    match (back.before.relation(name), back.after.relation(name)) {
        (None, Some(left)) if back.before.is_complete() => match &left.kind {
            RelationKind::Sequence(sequence) if sequence.owned_by.is_some() => Vec::new(),
            RelationKind::Index(_) => Vec::new(),
            _ => vec![format!("{shown} is still there")],
        },
        (Some(_), None) => vec![format!("{shown} is not there again")],
        (Some(before), Some(after)) if !before.uncertain && !after.uncertain => {
            match (&before.kind, &after.kind) {
                (RelationKind::Table(before), RelationKind::Table(after)) => {
                    table_differences(&shown, before, after)
                }
                _ => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}

fn table_differences(shown: &str, before: &Table, after: &Table) -> Vec<String> {
    let mut found = Vec::new();
    for column in &before.columns {
        let name = &column.name;
        let Some(now) = after.column(name) else {
            found.push(format!("{shown}.{name} is not there again"));
            continue;
        };
        if !now.ty.is_same(&column.ty) {
            found.push(format!("{shown}.{name} is {} and was {}", now.ty, column.ty));
        } else if now.not_null != column.not_null {
            let word = if now.not_null { "refuses" } else { "allows" };
            found.push(format!("{shown}.{name} {word} NULL"));
        } else if now.default.is_some() != column.default.is_some() {
            let word = if now.default.is_some() { "still has its new" } else { "is without its" };
            found.push(format!("{shown}.{name} {word} default"));
        }
    }
    let new = after.columns.iter().filter(|column| before.column(&column.name).is_none());
    found.extend(new.map(|column| format!("{shown}.{} is still there", column.name)));
    found.extend(parts_that_differ(&indexes(before), &indexes(after)));
    found.extend(parts_that_differ(&constraints(before), &constraints(after)));
    found.extend(parts_that_differ(&triggers(before), &triggers(after)));
    found
}

/// Parts by what they are, so that another name of the same is no difference; each with its name in words.
type Parts = BTreeMap<String, Vec<String>>;

fn parts_that_differ(before: &Parts, after: &Parts) -> Vec<String> {
    let left = rest(before, after);
    let new = rest(after, before);
    let lost = left.iter().filter(|it| !new.contains(it)).map(|it| format!("{it} is not there again"));
    let other = left.iter().filter(|it| new.contains(it)).map(|it| format!("{it} is another one"));
    let kept = new.iter().filter(|it| !left.contains(it)).map(|it| format!("{it} is still there"));
    lost.chain(other).chain(kept).collect()
}

/// The parts that the other side has fewer of.
fn rest<'a>(parts: &'a Parts, other: &Parts) -> Vec<&'a String> {
    let fewer = parts.iter().filter(|(key, names)| names.len() > other.get(*key).map_or(0, Vec::len));
    fewer.filter_map(|(_, names)| names.last()).collect()
}

fn plain(text: &str) -> String {
    text.chars()
        .filter(|it| !it.is_whitespace() && !matches!(it, '(' | ')' | '"'))
        .collect::<String>()
        .to_lowercase()
}

fn indexes(table: &Table) -> Parts {
    let mut parts = Parts::new();
    for index in table.indexes.iter().filter(|index| index.valid) {
        let keys: Vec<String> = index.keys.iter().map(|key| plain(&key.text.text)).collect();
        let predicate = index.predicate.as_ref().map(|it| plain(&it.text)).unwrap_or_default();
        let key = format!("{} {} {predicate}", index.unique, keys.join(","));
        parts.entry(key).or_default().push(format!("the index {}", index.name.name));
    }
    parts
}

fn constraints(table: &Table) -> Parts {
    let mut parts = Parts::new();
    for constraint in &table.constraints {
        let key = match &constraint.demand {
            Demand::Check(expression) => format!("check {}", plain(&expression.text)),
            Demand::ForeignKey { columns, references, .. } => {
                format!("key {} {}.{}", columns.join(","), references.schema, references.name)
            }
            // Those of indexes and columns are compared there.
            _ => continue,
        };
        parts.entry(key).or_default().push(format!("the constraint {}", constraint.name));
    }
    parts
}

fn triggers(table: &Table) -> Parts {
    let named = table.triggers.iter().map(|it| (it.name.clone(), vec![format!("the trigger {}", it.name)]));
    named.collect()
}
