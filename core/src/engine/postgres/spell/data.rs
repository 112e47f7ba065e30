//! Rows.

use super::{ident, idents, name, when};
use crate::operation::{Insert, Update};

/// Rows from a query.
pub(super) fn insert(it: &Insert) -> Option<String> {
    if !it.others.is_empty() || it.on_conflict.is_some() {
        return None;
    }
    let query = it.query.as_ref()?;
    let columns = if it.columns.is_empty() { String::new() } else { format!(" ({})", idents(&it.columns)) };
    let overriding = when(it.overriding, " OVERRIDING SYSTEM VALUE");
    Some(format!("INSERT INTO {}{columns}{overriding} {}", name(&it.table), query.text))
}

/// Values for the rows of one table.
pub(super) fn update(it: &Update) -> Option<String> {
    let set = it.set.as_ref().filter(|_| it.plain && it.from.is_none() && it.alias.is_none())?;
    let set: Vec<String> =
        set.iter().map(|(column, value)| format!("{} = {}", ident(column), value.text)).collect();
    let condition = it.condition.as_ref().map(|it| format!(" WHERE {}", it.text)).unwrap_or_default();
    Some(format!("UPDATE {} SET {}{condition}", name(&it.table), set.join(", ")))
}
