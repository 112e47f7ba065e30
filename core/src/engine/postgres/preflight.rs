//! Queries that count the rows on which a statement will fail or that it will change, to be asked before it runs.
//!
//! Each counts exactly what the server refuses: `tests/src/preflight.rs` runs them beside the statements themselves.
//! A query is only given where that is so; `None` means that nobody can say it in SQL from what is known.

use crate::catalog::{Catalog, ConstraintState, Demand, RelationName, Table};
use crate::dialect::{Dialect, Ident, Lexicon, Target, quote, quote_literal};
use crate::operation::{
    Bound, Constraint, ConstraintKind, Expression, ForeignKey, IndexKey, PartitionBound, TypeName,
};
use crate::statement::{TokenKind, tokens};
use crate::text::Span;

fn count(table: &RelationName, condition: &str, dialect: Dialect) -> String {
    format!("SELECT count(*) FROM {} WHERE {condition}", table.sql(dialect))
}

/// All rows of a table.
pub fn rows(table: &RelationName, dialect: Dialect) -> String {
    format!("SELECT count(*) FROM {}", table.sql(dialect))
}

/// Rows that hold NULL in one of the columns.
pub fn nulls<'a>(
    table: &RelationName,
    columns: impl IntoIterator<Item = &'a str>,
    dialect: Dialect,
) -> Option<String> {
    let nulls: Vec<String> =
        columns.into_iter().map(|it| format!("{} IS NULL", quote(it, dialect))).collect();
    (!nulls.is_empty()).then(|| count(table, &nulls.join(" OR "), dialect))
}

/// What must be distinct.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nulls {
    /// NULLs are never the same.
    Distinct,
    /// NULLs are the same.
    Same,
    /// NULLs are refused.
    Refused,
}

/// Rows that are too many where values must be distinct.
pub fn duplicates(
    table: &RelationName,
    keys: &[String],
    nulls: Nulls,
    predicate: Option<&str>,
    dialect: Dialect,
) -> Option<String> {
    if keys.is_empty() {
        return None;
    }
    let there: Vec<String> = keys.iter().map(|key| format!("{key} IS NOT NULL")).collect();
    let there = there.join(" AND ");
    let (distinct, mut conditions) = match nulls {
        Nulls::Distinct => (String::new(), vec![there]),
        Nulls::Same => (String::new(), Vec::new()),
        Nulls::Refused => (format!(" FILTER (WHERE {there})"), Vec::new()),
    };
    conditions.extend(predicate.map(|it| format!("({it})")));
    let condition =
        if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
    let (list, table) = (keys.join(", "), table.sql(dialect));
    Some(format!("SELECT count(*) - count(DISTINCT ROW({list})){distinct} FROM {table}{condition}"))
}

/// The keys of an index as expressions; `None` where one has an operator class of its own.
pub fn index_keys(keys: &[IndexKey], dialect: Dialect) -> Option<Vec<String>> {
    let key = |key: &IndexKey| {
        let text = without_order(&key.text.text);
        match &key.column {
            Some(column) if !text.contains(char::is_whitespace) => Some(quote(&column.name, dialect)),
            None if text.ends_with(')') => Some(text.to_owned()),
            _ => None,
        }
    };
    keys.iter().map(key).collect()
}

fn without_order(text: &str) -> &str {
    let mut text = text.trim();
    for word in ["NULLS FIRST", "NULLS LAST", "ASC", "DESC"] {
        let at = text.len().saturating_sub(word.len());
        let ends = text.get(at..).is_some_and(|end| end.eq_ignore_ascii_case(word));
        if ends && text[..at].ends_with(' ') {
            text = text[..at].trim_end();
        }
    }
    text
}

/// Rows that a new constraint refuses.
pub fn violations(table: &RelationName, constraint: &Constraint, catalog: &Catalog) -> Option<String> {
    let dialect = catalog.dialect();
    match &constraint.kind {
        ConstraintKind::Check(check) => Some(failing(table, check, dialect)),
        ConstraintKind::NotNull(column) => nulls(table, [column.name.as_str()], dialect),
        ConstraintKind::ForeignKey(key) => {
            orphans(table, key, constraint.temporal, &catalog.resolve(&key.references), catalog)
        }
        ConstraintKind::Unique { columns, .. } | ConstraintKind::PrimaryKey { columns, .. }
            if constraint.temporal =>
        {
            overlaps(table, columns, dialect)
        }
        _ => None,
    }
}

/// Rows of one key whose periods overlap.
fn overlaps(table: &RelationName, columns: &[Ident], dialect: Dialect) -> Option<String> {
    let (period, own) = columns.split_last()?;
    let same = own.iter().map(|it| (it, "=")).chain([(period, "&&")]);
    let same: Vec<String> = same
        .map(|(it, sign)| {
            let name = quote(&it.name, dialect);
            format!("other.{name} {sign} one.{name}")
        })
        .collect();
    let table = table.sql(dialect);
    let other =
        format!("SELECT FROM {table} AS other WHERE other.ctid <> one.ctid AND {}", same.join(" AND "));
    Some(format!("SELECT count(*) FROM {table} AS one WHERE EXISTS ({other})"))
}

/// Rows that a constraint which is there refuses.
pub fn old_violations(
    table: &RelationName,
    constraint: &ConstraintState,
    catalog: &Catalog,
) -> Option<String> {
    let dialect = catalog.dialect();
    match &constraint.demand {
        Demand::Check(check) => Some(failing(table, check, dialect)),
        Demand::NotNull(column) => nulls(table, [column.as_str()], dialect),
        Demand::ForeignKey { references, key, .. } => {
            orphans(table, key, constraint.temporal, references, catalog)
        }
        _ => None,
    }
}

/// A check refuses what it is false for, and lets NULL pass.
fn failing(table: &RelationName, check: &Expression, dialect: Dialect) -> String {
    count(table, &format!("NOT ({})", check.text), dialect)
}

fn orphans(
    table: &RelationName,
    key: &ForeignKey,
    temporal: bool,
    references: &RelationName,
    catalog: &Catalog,
) -> Option<String> {
    let dialect = catalog.dialect();
    let referenced: Vec<String> = match key.referenced.as_slice() {
        [] => catalog.table(references)?.primary_key()?.to_vec(),
        named => named.iter().map(|column| column.name.clone()).collect(),
    };
    let own: Vec<String> =
        key.columns.iter().map(|column| format!("child.{}", quote(&column.name, dialect))).collect();
    if own.len() != referenced.len() || own.is_empty() {
        return None;
    }
    let mut same: Vec<String> = own
        .iter()
        .zip(&referenced)
        .map(|(own, other)| format!("parent.{} = {own}", quote(other, dialect)))
        .collect();
    let parent = references.sql(dialect);
    let missing = match (own.last(), referenced.last()) {
        (Some(period), Some(other)) if temporal => {
            same.pop();
            let (other, same) = (quote(other, dialect), same.join(" AND "));
            let covered = format!("SELECT range_agg(parent.{other}) FROM {parent} AS parent WHERE {same}");
            format!("({period} <@ ({covered})) IS NOT TRUE")
        }
        _ => format!("NOT EXISTS (SELECT FROM {parent} AS parent WHERE {})", same.join(" AND ")),
    };
    let all = |word: &str, between: &str| {
        own.iter().map(|column| format!("{column} {word}")).collect::<Vec<_>>().join(between)
    };
    let condition = if key.actions.to_lowercase().contains("match full") {
        format!("({}) AND ({} OR {missing})", all("IS NOT NULL", " OR "), all("IS NULL", " OR "))
    } else {
        format!("{} AND {missing}", all("IS NOT NULL", " AND "))
    };
    Some(format!("SELECT count(*) FROM {} AS child WHERE {condition}", table.sql(dialect)))
}

/// Rows whose value does not fit into a type, or loses something in it.
pub fn misfits(
    table: &RelationName,
    column: &str,
    from: &TypeName,
    to: &TypeName,
    dialect: Dialect,
) -> Option<String> {
    let value = quote(column, dialect);
    let conditions: Vec<String> =
        [refused(&value, from, to), changed(&value, from, to)].into_iter().flatten().collect();
    (!conditions.is_empty()).then(|| count(table, &conditions.join(" OR "), dialect))
}

/// The condition under which the server refuses a value as another type; `None` where it takes all of them, or where nobody can say it in
/// SQL.
pub fn refused(value: &str, from: &TypeName, to: &TypeName) -> Option<String> {
    super::effect::loss(from, to)?;
    if let Some((least, most)) = range(to) {
        return match from.name.as_str() {
            "float4" | "float8" => {
                // The largest bigint is no float: one more is.
                let above = i128::from(most) + 1;
                Some(format!("NOT (round({value}::float8) >= {least} AND round({value}::float8) < {above})"))
            }
            "numeric" => Some(format!("round({value}) NOT BETWEEN {least} AND {most}")),
            _ => Some(format!("{value} NOT BETWEEN {least} AND {most}")),
        };
    }
    if to.is("numeric") && from.is("numeric") {
        let (whole, scale) = digits(to)?;
        let fits = digits(from).is_some_and(|(own, more)| own < whole || own == whole && more <= scale);
        // NaN fits everywhere, and is greater than every number.
        return (!fits)
            .then(|| format!("{value} <> 'NaN' AND abs(round({value}, {scale})) >= 1e{whole}::numeric"));
    }
    // Blanks at the end are cut silently.
    let length = length(to)?;
    Some(format!("rtrim(substr({value}, {length} + 1), ' ') <> ''"))
}

/// The condition under which the server rounds or cuts a value silently.
fn changed(value: &str, from: &TypeName, to: &TypeName) -> Option<String> {
    if from.is_any(&["numeric", "float4", "float8"]) && range(to).is_some() {
        return Some(format!("round({value}) <> {value}"));
    }
    if from.is("numeric") && to.is("numeric") {
        let scale = digits(to)?.1;
        let rounds = digits(from).is_none_or(|(_, own)| own > scale);
        return rounds.then(|| format!("round({value}, {scale}) <> {value}"));
    }
    let day = from.is_any(&["timestamp", "timestamptz"]) && to.is("date");
    day.then(|| format!("date_trunc('day', {value}) <> {value}"))
}

/// The digits of a numeric type before and behind the point.
pub fn digits(ty: &TypeName) -> Option<(i64, i64)> {
    let scale = ty.modifiers.get(1).copied().unwrap_or(0);
    Some((ty.modifiers.first()?.checked_sub(scale)?, scale))
}

/// The most characters of a type of text; `None` where there is no limit.
pub fn length(ty: &TypeName) -> Option<i64> {
    match ty.name.as_str() {
        _ if ty.array => None,
        "varchar" => ty.modifiers.first().copied(),
        "bpchar" => Some(ty.modifiers.first().copied().unwrap_or(1)),
        _ => None,
    }
}

/// The least and the greatest value of a type of whole numbers.
pub fn range(ty: &TypeName) -> Option<(i64, i64)> {
    match ty.name.as_str() {
        _ if ty.array => None,
        "int2" => Some((i16::MIN.into(), i16::MAX.into())),
        "int4" => Some((i32::MIN.into(), i32::MAX.into())),
        "int8" => Some((i64::MIN, i64::MAX)),
        _ => None,
    }
}

/// Rows whose text cannot be read as the new type, where the change casts the column and does nothing else.
pub fn unreadable(
    table: &RelationName,
    column: &str,
    (from, to): (&TypeName, &TypeName),
    labels: Option<&[String]>,
    target: &Target,
) -> Option<String> {
    let dialect = target.dialect;
    let value = quote(column, dialect);
    if let Some(labels) = labels {
        let list: Vec<String> = labels.iter().map(|label| quote_literal(label)).collect();
        return Some(count(table, &format!("{value}::text NOT IN ({})", list.join(", ")), dialect));
    }
    if !from.is_any(&["text", "varchar"]) {
        return None;
    }
    if target.version.major >= 16 {
        let condition = format!("NOT pg_input_is_valid({value}, {})", quote_literal(&to.to_string()));
        return Some(count(table, &condition, dialect));
    }
    let (least, most) = range(to)?;
    // The pattern first: only what is a number is compared as one.
    let condition = format!(
        "CASE WHEN {value} ~ '^\\s*[-+]?[0-9]+\\s*$' THEN {value}::numeric NOT BETWEEN {least} AND {most} ELSE true END"
    );
    Some(count(table, &format!("{value} IS NOT NULL AND {condition}"), dialect))
}

/// Whether a USING expression only casts the column.
pub fn only_casts(using: &Expression, column: &str) -> bool {
    let text: String =
        using.text.chars().filter(|it| !matches!(it, '(' | ')' | '"') && !it.is_whitespace()).collect();
    let parts: Vec<&str> = text.split("::").collect();
    parts.len() > 1 && parts[0].eq_ignore_ascii_case(column)
}

/// Rows of the default partition that belong to a new one.
pub fn rows_of_bound(
    default: &RelationName,
    parent: &Table,
    bound: &PartitionBound,
    dialect: Dialect,
) -> Option<String> {
    Some(count(default, &condition_of(parent, bound, dialect)?, dialect))
}

/// Rows of a table that do not belong to the partition that it becomes.
pub fn rows_outside_bound(
    table: &RelationName,
    parent: &Table,
    bound: &PartitionBound,
    dialect: Dialect,
) -> Option<String> {
    let condition = condition_of(parent, bound, dialect)?;
    Some(count(table, &format!("({condition}) IS NOT TRUE"), dialect))
}

/// The bound as a condition on the key, where the key is one column.
fn condition_of(parent: &Table, bound: &PartitionBound, dialect: Dialect) -> Option<String> {
    let bound = Bound::read(parent.partition_by.as_ref()?, bound, dialect).ok()?;
    Some(bound.within(dialect).join(" AND "))
}

/// Rows of all columns of a domain that a new check of it refuses.
pub fn domain_violations(
    columns: &[(RelationName, Vec<String>)],
    check: Option<&str>,
    dialect: Dialect,
) -> Option<String> {
    let one = |table: &RelationName, column: &String| {
        let value = quote(column, dialect);
        let condition = match check {
            Some(check) => format!("NOT ({})", with_value(check, &value)),
            None => format!("{value} IS NULL"),
        };
        format!("({})", count(table, &condition, dialect))
    };
    let all: Vec<String> =
        columns.iter().flat_map(|(table, names)| names.iter().map(move |name| one(table, name))).collect();
    (!all.is_empty()).then(|| format!("SELECT {}", all.join(" + ")))
}

/// The check of a domain with the column in place of the word VALUE; what stands in quotes stays.
fn with_value(check: &str, column: &str) -> String {
    let mut result = String::with_capacity(check.len());
    let mut copied = 0;
    for token in tokens(check, Span::new(0, check.len()), Lexicon::of(Dialect::Postgres)) {
        if token.kind == TokenKind::Word && token.span.of(check).eq_ignore_ascii_case("value") {
            result.push_str(&check[copied..token.span.start]);
            result.push_str(column);
            copied = token.span.end;
        }
    }
    result + &check[copied..]
}

/// Rows that exclude each other, by the text of an exclusion constraint on plain columns.
pub fn conflicts(table: &RelationName, constraint: &str, dialect: Dialect) -> Option<String> {
    let at = constraint.to_ascii_lowercase().find("exclude")?;
    let open = at + constraint[at..].find('(')?;
    let close = open + constraint[open..].find(')')?;
    let pair = |element: &str| {
        let at = element.to_ascii_lowercase().find(" with ")?;
        let (column, operator) = (element[..at].trim(), element[at + 6..].trim());
        let plain = column.chars().all(|it| it.is_alphanumeric() || it == '_');
        plain.then(|| format!("one.{column} {operator} other.{column}"))
    };
    let pairs: Option<Vec<String>> = constraint[open + 1..close].split(',').map(pair).collect();
    let has_predicate = Expression::new(&constraint[close..]).has_word(dialect, &["where"]);
    let (pairs, table) = (pairs.filter(|_| !has_predicate)?.join(" AND "), table.sql(dialect));
    Some(format!(
        "SELECT count(*) FROM {table} AS one WHERE EXISTS (SELECT FROM {table} AS other WHERE one.ctid <> other.ctid AND {pairs})"
    ))
}
