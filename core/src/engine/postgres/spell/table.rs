//! Tables, their columns and constraints.

use super::{ident, idents, keyword, name, names, when, word};
use crate::dialect::quote_literal;
use crate::operation::{
    AlterTable, Column, Constraint, ConstraintKind, CreateTable, Identity, Like, PartitionBound,
    RelationWord, TableAction, TriggerState,
};

/// A table of columns and constraints, or one like another.
pub(super) fn create(it: &CreateTable) -> Option<String> {
    let more =
        it.partition_of.is_some() || it.partition_by.is_some() || it.of_type.is_some() || it.query.is_some();
    if more || !it.inherits.is_empty() {
        return None;
    }
    let mut parts: Vec<String> = it.like.iter().map(like).collect();
    parts.extend(it.columns.iter().map(column));
    parts.extend(it.constraints.iter().map(constraint));
    Some(format!(
        "CREATE {}{}TABLE {}{} ({})",
        when(it.temporary, "TEMPORARY "),
        when(it.unlogged, "UNLOGGED "),
        when(it.if_not_exists, "IF NOT EXISTS "),
        name(&it.name),
        parts.join(", ")
    ))
}

fn like(it: &Like) -> String {
    let including: String =
        it.including.iter().map(|part| format!(" INCLUDING {}", part.to_uppercase())).collect();
    format!("LIKE {}{including}", name(&it.table))
}

fn column(it: &Column) -> String {
    let mut sql = format!("{} {}", ident(&it.name), it.ty);
    if let Some(collation) = &it.collation {
        sql.push_str(&format!(" COLLATE {}", name(collation)));
    }
    if let Some(default) = &it.default {
        sql.push_str(&format!(" DEFAULT {}", default.text));
    }
    if let Some(generated) = &it.generated {
        let kept = if generated.stored { "STORED" } else { "VIRTUAL" };
        sql.push_str(&format!(" GENERATED ALWAYS AS ({}) {kept}", generated.expression.text));
    }
    if let Some(identity) = it.identity {
        sql.push_str(&format!(" GENERATED {} AS IDENTITY", always(identity)));
    }
    for constraint in &it.constraints {
        if let (Some(own), ConstraintKind::NotNull(_)) = (&constraint.name, &constraint.kind) {
            sql.push_str(&format!(" CONSTRAINT {}", ident(own)));
        }
    }
    sql.push_str(when(it.not_null, " NOT NULL"));
    sql
}

fn always(identity: Identity) -> &'static str {
    match identity {
        Identity::Always => "ALWAYS",
        Identity::ByDefault => "BY DEFAULT",
    }
}

/// A constraint with its name, as a table's list and ADD take it.
fn constraint(it: &Constraint) -> String {
    let named = it.name.as_ref().map(|it| format!("CONSTRAINT {} ", ident(it))).unwrap_or_default();
    format!(
        "{named}{}{}{}{}{}",
        demand(&it.kind, it.temporal),
        timing(it.deferrable, it.initially_deferred),
        when(it.no_inherit, " NO INHERIT"),
        when(it.not_enforced, " NOT ENFORCED"),
        when(it.not_valid, " NOT VALID")
    )
}

fn demand(kind: &ConstraintKind, temporal: bool) -> String {
    match kind {
        ConstraintKind::Check(check) => format!("CHECK ({})", check.text),
        ConstraintKind::NotNull(column) => format!("NOT NULL {}", ident(column)),
        ConstraintKind::Unique { using_index: Some(index), .. } => {
            format!("UNIQUE USING INDEX {}", ident(index))
        }
        ConstraintKind::Unique { columns, nulls_not_distinct, .. } => {
            format!(
                "UNIQUE {}({}{})",
                when(*nulls_not_distinct, "NULLS NOT DISTINCT "),
                idents(columns),
                when(temporal, " WITHOUT OVERLAPS")
            )
        }
        ConstraintKind::PrimaryKey { using_index: Some(index), .. } => {
            format!("PRIMARY KEY USING INDEX {}", ident(index))
        }
        ConstraintKind::PrimaryKey { columns, .. } => {
            format!("PRIMARY KEY ({}{})", idents(columns), when(temporal, " WITHOUT OVERLAPS"))
        }
        ConstraintKind::ForeignKey(key) => {
            let referenced = match key.referenced.as_slice() {
                [] => String::new(),
                some => format!(" ({})", key_columns(some, temporal)),
            };
            let actions = if key.actions.is_empty() { String::new() } else { format!(" {}", key.actions) };
            format!(
                "FOREIGN KEY ({}) REFERENCES {}{referenced}{actions}",
                key_columns(&key.columns, temporal),
                name(&key.references)
            )
        }
        ConstraintKind::Exclude { columns } => format!("EXCLUDE ({})", idents(columns)),
    }
}

/// The columns of a foreign key; the last may be a period.
fn key_columns(columns: &[crate::dialect::Ident], temporal: bool) -> String {
    match columns.split_last().filter(|_| temporal) {
        Some((last, [])) => format!("PERIOD {}", ident(last)),
        Some((last, before)) => format!("{}, PERIOD {}", idents(before), ident(last)),
        None => idents(columns),
    }
}

fn timing(deferrable: bool, initially_deferred: bool) -> &'static str {
    match (deferrable, initially_deferred) {
        (_, true) => " DEFERRABLE INITIALLY DEFERRED",
        (true, false) => " DEFERRABLE",
        (false, false) => "",
    }
}

/// One subcommand with its head.
pub(super) fn alter(it: &AlterTable) -> Option<String> {
    let word = match it.relation {
        RelationWord::Table => "TABLE",
        RelationWord::Index => "INDEX",
        RelationWord::View => "VIEW",
        RelationWord::MaterializedView => "MATERIALIZED VIEW",
        RelationWord::Sequence => "SEQUENCE",
        RelationWord::ForeignTable => "FOREIGN TABLE",
    };
    let (exists, only) = (when(it.if_exists, "IF EXISTS "), when(it.only, "ONLY "));
    Some(format!("ALTER {word} {exists}{only}{} {}", name(&it.table), action(&it.action)?))
}

fn of_column(column: &crate::dialect::Ident, action: &str) -> String {
    format!("ALTER COLUMN {} {action}", ident(column))
}

fn action(it: &TableAction) -> Option<String> {
    Some(match it {
        TableAction::AddColumn { column: added, if_not_exists } => {
            format!("ADD COLUMN {}{}", when(*if_not_exists, "IF NOT EXISTS "), column(added))
        }
        TableAction::DropColumn { column, if_exists, cascade } => {
            format!(
                "DROP COLUMN {}{}{}",
                when(*if_exists, "IF EXISTS "),
                ident(column),
                when(*cascade, " CASCADE")
            )
        }
        TableAction::AlterType { column, ty, using, collation } => {
            let collation = collation.as_ref().map(|it| format!(" COLLATE {}", name(it))).unwrap_or_default();
            let using = using.as_ref().map(|it| format!(" USING {}", it.text)).unwrap_or_default();
            of_column(column, &format!("TYPE {ty}{collation}{using}"))
        }
        TableAction::SetDefault { column, default } => {
            of_column(column, &format!("SET DEFAULT {}", default.text))
        }
        TableAction::DropDefault { column } => of_column(column, "DROP DEFAULT"),
        TableAction::SetNotNull { column } => of_column(column, "SET NOT NULL"),
        TableAction::DropNotNull { column } => of_column(column, "DROP NOT NULL"),
        TableAction::SetExpression { column, expression } => {
            of_column(column, &format!("SET EXPRESSION AS ({})", expression.text))
        }
        TableAction::SetStatistics { column: Some(column), target } => {
            of_column(column, &format!("SET STATISTICS {}", target.trim().parse::<i32>().ok()?))
        }
        TableAction::SetStorage { column, storage } => {
            of_column(column, &format!("SET STORAGE {}", keyword(storage)?))
        }
        TableAction::SetCompression { column, method } => {
            of_column(column, &format!("SET COMPRESSION {}", word(method)))
        }
        TableAction::SetColumnOptions { column, options } => {
            let all: Vec<String> = options
                .iter()
                .map(|(name, value)| match value {
                    Some(value) => format!("{} = {}", word(name), quote_literal(value)),
                    None => word(name),
                })
                .collect();
            of_column(column, &format!("SET ({})", all.join(", ")))
        }
        TableAction::DropExpression { column, if_exists: false } => of_column(column, "DROP EXPRESSION"),
        TableAction::DropExpression { column, .. } => of_column(column, "DROP EXPRESSION IF EXISTS"),
        TableAction::AddIdentity { column, identity, counts } => {
            let sequence = counts.iter().find(|(option, _)| option == "name");
            let sequence = sequence.map(|(_, it)| format!(" (SEQUENCE NAME {it})")).unwrap_or_default();
            of_column(column, &format!("ADD GENERATED {} AS IDENTITY{sequence}", always(*identity)))
        }
        TableAction::AlterIdentity { column, identity: Some(identity), .. } => {
            of_column(column, &format!("SET GENERATED {}", always(*identity)))
        }
        TableAction::DropIdentity { column } => of_column(column, "DROP IDENTITY"),
        TableAction::AddConstraint { constraint: added } => format!("ADD {}", constraint(added)),
        TableAction::ValidateConstraint { name } => format!("VALIDATE CONSTRAINT {}", ident(name)),
        TableAction::DropConstraint { name, if_exists, cascade } => {
            format!(
                "DROP CONSTRAINT {}{}{}",
                when(*if_exists, "IF EXISTS "),
                ident(name),
                when(*cascade, " CASCADE")
            )
        }
        TableAction::AlterConstraint { name, enforced: None, timing: Some(timing), inherit: false } => {
            let timing = match timing {
                (_, true) => "DEFERRABLE INITIALLY DEFERRED",
                (true, false) => "DEFERRABLE INITIALLY IMMEDIATE",
                (false, false) => "NOT DEFERRABLE",
            };
            format!("ALTER CONSTRAINT {} {timing}", ident(name))
        }
        TableAction::Trigger { name, state } => {
            let state = match state {
                TriggerState::Enabled => "ENABLE",
                TriggerState::Disabled => "DISABLE",
                TriggerState::Always => "ENABLE ALWAYS",
                TriggerState::OnReplicas => "ENABLE REPLICA",
            };
            format!("{state} TRIGGER {}", name.as_ref().map_or("ALL".to_owned(), ident))
        }
        TableAction::SetWithoutCluster => "SET WITHOUT CLUSTER".to_owned(),
        TableAction::ClusterOn { index } => format!("CLUSTER ON {}", ident(index)),
        TableAction::SetLogged { logged } => format!("SET {}", if *logged { "LOGGED" } else { "UNLOGGED" }),
        TableAction::SetAccessMethod { method } => format!("SET ACCESS METHOD {}", word(method)),
        TableAction::SetTablespace { tablespace } => format!("SET TABLESPACE {}", word(tablespace)),
        TableAction::Inherit { parent } => format!("INHERIT {}", name(parent)),
        TableAction::NoInherit { parent } => format!("NO INHERIT {}", name(parent)),
        TableAction::RenameColumn { column, to } => {
            format!("RENAME COLUMN {} TO {}", ident(column), ident(to))
        }
        TableAction::RenameConstraint { name, to } => {
            format!("RENAME CONSTRAINT {} TO {}", ident(name), ident(to))
        }
        TableAction::RenameTo { to } => format!("RENAME TO {}", ident(to)),
        TableAction::SetSchema { schema } => format!("SET SCHEMA {}", ident(schema)),
        TableAction::AttachPartition { partition, bound } => {
            let bound = match bound {
                PartitionBound::Default => "DEFAULT".to_owned(),
                PartitionBound::Values(values) => format!("FOR VALUES {values}"),
            };
            format!("ATTACH PARTITION {} {bound}", name(partition))
        }
        TableAction::DetachPartition { partition, concurrently, finalize } => format!(
            "DETACH PARTITION {}{}{}",
            name(partition),
            when(*concurrently, " CONCURRENTLY"),
            when(*finalize, " FINALIZE")
        ),
        TableAction::AttachIndex { index } => {
            format!("ATTACH PARTITION {}", names(std::slice::from_ref(index)))
        }
        // A person wrote it, and its own words are kept.
        _ => return None,
    })
}
