//! Partitions (manual, CREATE TABLE, ALTER TABLE; locks measured on 11 to 18).

use super::draft::Draft;
use crate::catalog::{Demand, RelationName};
use crate::dialect::{LockMode, Name};
use crate::effect::{Waits, Work};
use crate::operation::{Bound, PartitionBound};

/// CREATE TABLE … PARTITION OF: the parent is closed to everybody, its default partition is read through.
pub(super) fn create(draft: &mut Draft<'_>, parent: &Name, bound: &PartitionBound) {
    draft.cite("CREATE TABLE PARTITION OF takes ACCESS EXCLUSIVE on the parent (measured on 11 to 18)");
    let Some(parent) = draft.existing(parent, false) else { return };
    draft.lock(&parent, LockMode::AccessExclusive);
    if draft.since(12) {
        draft.lock_indexes(&parent, LockMode::ShareUpdateExclusive);
    }
    refuse_overlap(draft, &parent, bound);
    for table in super::table::references(draft, &parent) {
        draft.lock_tree(&table, LockMode::ShareRowExclusive);
    }
    if *bound != PartitionBound::Default {
        lock_default(draft, &parent, bound);
    }
}

/// Ranges of numbers that overlap are seen; other bounds are left to the server.
fn refuse_overlap(draft: &mut Draft<'_>, parent: &RelationName, bound: &PartitionBound) {
    let Some(wanted) = range_of(bound) else { return };
    let siblings = draft.table(parent).map(|it| it.children.clone()).unwrap_or_default();
    let overlapping = siblings.iter().find(|sibling| {
        let other = draft.table(sibling).and_then(|it| it.partition_of.as_ref());
        other
            .and_then(|(_, bound)| range_of(bound))
            .is_some_and(|it| it.from < wanted.to && wanted.from < it.to)
    });
    if let Some(other) = overlapping {
        draft.fail(format!("its bound overlaps that of {}", draft.display(other)));
    }
}

/// The default partition may hold rows of the new one: it is locked, and read unless a check of its own tells.
fn lock_default(draft: &mut Draft<'_>, parent: &RelationName, bound: &PartitionBound) {
    let Some(default) = default_partition(draft, parent) else { return };
    draft.lock_tree(&default, LockMode::AccessExclusive);
    if !excludes(draft, &default, parent, bound) {
        draft.scan_tree(&default);
    }
}

fn default_partition(draft: &Draft<'_>, parent: &RelationName) -> Option<RelationName> {
    let children = &draft.table(parent)?.children;
    children.iter().find(|child| draft.table(child).is_some_and(|it| it.is_default_partition())).cloned()
}

pub(super) fn attach(draft: &mut Draft<'_>, parent: &RelationName, partition: &Name, bound: &PartitionBound) {
    draft.cite("manual, ALTER TABLE: ATTACH PARTITION; SHARE UPDATE EXCLUSIVE on the parent from 12 on");
    let Some(partition) = draft.existing(partition, false) else { return };
    let newer = draft.since(12);
    let on_parent = if newer { LockMode::ShareUpdateExclusive } else { LockMode::AccessExclusive };
    draft.lock(parent, on_parent);
    draft.lock_tree(&partition, LockMode::AccessExclusive);
    if newer {
        draft.lock_indexes(parent, LockMode::ShareUpdateExclusive);
    }
    refuse_attach(draft, parent, &partition);
    refuse_overlap(draft, parent, bound);
    if *bound == PartitionBound::Default || !implies(draft, &partition, parent, bound) {
        draft.scan_tree(&partition);
    }
    for index in draft.catalog.indexes(parent) {
        let own = draft.catalog.indexes(&partition);
        match own.iter().find(|own| crate::catalog::same_shape(own, index)) {
            Some(_) => {}
            None => draft.build_tree(&partition),
        }
    }
    for table in super::table::references(draft, parent) {
        draft.lock_tree(&table, LockMode::ShareRowExclusive);
    }
    if *bound != PartitionBound::Default {
        lock_default(draft, parent, bound);
    }
}

fn refuse_attach(draft: &mut Draft<'_>, parent: &RelationName, partition: &RelationName) {
    let missing = draft.table(parent).zip(draft.table(partition)).and_then(|(parent, partition)| {
        parent.columns.iter().find(|column| partition.column(&column.name).is_none())
    });
    if let Some(column) = missing {
        draft.fail(format!("{} has no column {}", draft.display(partition), column.name));
    }
    if draft.table(partition).is_some_and(|it| it.partition_of.is_some()) {
        draft.fail(format!("{} is a partition already", draft.display(partition)));
    }
}

pub(super) fn detach(
    draft: &mut Draft<'_>,
    parent: &RelationName,
    partition: &Name,
    concurrently: bool,
    finalize: bool,
) {
    let Some(partition) = draft.existing(partition, false) else { return };
    if concurrently || finalize {
        draft.needs(14, "DETACH PARTITION CONCURRENTLY");
        if concurrently && default_partition(draft, parent).is_some() {
            draft.fail("DETACH CONCURRENTLY is refused while there is a default partition");
        }
        draft.effect.transactional = finalize;
        draft.waits = Some(Waits::SchemaChanges);
        draft.lock(parent, LockMode::ShareUpdateExclusive);
        lock_attached(draft, parent, &partition);
        return draft.lock_tree(&partition, LockMode::AccessExclusive);
    }
    draft.effect.has_concurrent_form = draft.since(14) && default_partition(draft, parent).is_none();
    draft.lock(parent, LockMode::AccessExclusive);
    let on_partition =
        if draft.since(14) { LockMode::AccessExclusive } else { LockMode::ShareUpdateExclusive };
    draft.lock(&partition, on_partition);
    lock_attached(draft, parent, &partition);
    if let Some(default) = default_partition(draft, parent) {
        draft.lock(&default, LockMode::AccessExclusive);
    }
}

/// The indexes of a partition that are parts of its parent's.
fn lock_attached(draft: &mut Draft<'_>, parent: &RelationName, partition: &RelationName) {
    let attached: Vec<&RelationName> =
        draft.catalog.indexes(parent).iter().flat_map(|index| &index.children).collect();
    for index in draft.catalog.indexes(partition).iter().filter(|it| attached.contains(&&it.name)) {
        draft.lock_index(&index.name, LockMode::AccessExclusive);
    }
}

/// ALTER INDEX … ATTACH PARTITION.
pub(super) fn attach_index(draft: &mut Draft<'_>, index: &RelationName, child: &Name) {
    let Some(child) = draft.existing(child, false) else { return };
    let on_parent = if draft.since(12) { LockMode::ShareUpdateExclusive } else { LockMode::AccessExclusive };
    draft.lock_index(index, on_parent);
    draft.lock_index(&child, LockMode::AccessExclusive);
    for name in [index, &child] {
        if let Some((table, _)) = draft.catalog.index(name) {
            draft.lock(table, LockMode::AccessShare);
        }
    }
    draft.effect.work.retain(|(_, work)| *work != Work::IndexBuild);
}

/// The limits of a bound or a check on one column: from (inclusive) up to, and without, to.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Range {
    from: f64,
    to: f64,
}

/// Whether a valid check of the partition proves that all its rows are within the bound.
fn implies(
    draft: &Draft<'_>,
    partition: &RelationName,
    parent: &RelationName,
    bound: &PartitionBound,
) -> bool {
    let Some(column) = key_column(draft, parent) else { return false };
    let not_null = draft.table(partition).and_then(|it| it.column(&column)).is_some_and(|it| it.not_null);
    let by_numbers = range_of(bound).is_some_and(|wanted| {
        let proved = checks(draft, partition, &column);
        not_null && proved.iter().any(|check| check.from >= wanted.from && check.to <= wanted.to)
    });
    let dialect = draft.catalog.dialect();
    by_numbers
        || bound_on(draft, parent, bound).is_some_and(|bound| {
            valid_checks(draft, partition).any(|check| bound.is_implied_by(check, not_null, dialect))
        })
}

/// Whether a valid check of the default partition proves that it holds no row of the bound.
fn excludes(
    draft: &Draft<'_>,
    default: &RelationName,
    parent: &RelationName,
    bound: &PartitionBound,
) -> bool {
    let Some(column) = key_column(draft, parent) else { return false };
    let by_numbers = range_of(bound).is_some_and(|wanted| {
        let proved = checks(draft, default, &column);
        proved.iter().any(|check| check.to <= wanted.from || check.from >= wanted.to)
    });
    let dialect = draft.catalog.dialect();
    by_numbers
        || bound_on(draft, parent, bound).is_some_and(|bound| {
            valid_checks(draft, default).any(|check| bound.is_excluded_by(check, dialect))
        })
}

fn bound_on(draft: &Draft<'_>, parent: &RelationName, bound: &PartitionBound) -> Option<Bound> {
    let by = draft.table(parent)?.partition_by.as_ref()?;
    Bound::read(by, bound, draft.catalog.dialect()).ok()
}

fn valid_checks<'a>(draft: &Draft<'a>, table: &RelationName) -> impl Iterator<Item = &'a str> {
    let constraints = draft.table(table).map(|it| &it.constraints).unwrap_or_default();
    constraints.iter().filter(|it| it.valid).filter_map(|it| match &it.demand {
        Demand::Check(check) => Some(check.text.as_str()),
        _ => None,
    })
}

fn key_column(draft: &Draft<'_>, parent: &RelationName) -> Option<String> {
    match draft.table(parent)?.partition_by.as_ref()?.columns.as_slice() {
        [column] => Some(column.clone()),
        _ => None,
    }
}

/// `FROM (1) TO (10)` as a range.
fn range_of(bound: &PartitionBound) -> Option<Range> {
    let PartitionBound::Values(text) = bound else { return None };
    let mut numbers =
        text.split(['(', ')']).skip(1).step_by(2).map(|it| match it.trim().to_lowercase().as_str() {
            "minvalue" => Some(f64::NEG_INFINITY),
            "maxvalue" => Some(f64::INFINITY),
            number => number.parse().ok(),
        });
    let (from, to) = (numbers.next()??, numbers.next()??);
    text.to_lowercase().starts_with("from").then_some(Range { from, to })
}

/// The ranges that the valid checks of a table put on a column.
fn checks(draft: &Draft<'_>, table: &RelationName, column: &str) -> Vec<Range> {
    valid_checks(draft, table).filter_map(|check| check_range(check, column)).collect()
}

/// Reads `a >= 1 AND a < 10`.
fn check_range(text: &str, column: &str) -> Option<Range> {
    let mut range = Range { from: f64::NEG_INFINITY, to: f64::INFINITY };
    let text = text.to_lowercase();
    for part in text.split(" and ") {
        let part = part.trim().trim_matches(['(', ')', ' ']);
        if part == format!("{column} is not null") {
            continue;
        }
        let rest = part.strip_prefix(column)?.trim_start();
        let operator = rest.find(|it: char| !matches!(it, '<' | '>' | '='))?;
        let value: f64 = rest[operator..].trim().parse().ok()?;
        match &rest[..operator] {
            ">=" => range.from = value,
            ">" => range.from = value + 1.0,
            "<" => range.to = value,
            "<=" => range.to = value + 1.0,
            "=" => range = Range { from: value, to: value + 1.0 },
            _ => return None,
        }
    }
    Some(range)
}
