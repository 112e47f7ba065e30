//! The replayed schema on the wire.

use schemars::JsonSchema;
use serde::Serialize;

use super::TargetReport;
use crate::catalog::{Catalog, ConstraintState, Demand, Index, RelationKind, Table, UserType};
use crate::dialect::{Dialect, Target};

/// What `lockkeeper schema --format json` prints.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SchemaReport {
    /// Always 1; fields are added, never changed.
    pub version: u32,
    /// What the migrations run on.
    pub target: TargetReport,
    /// Whether the history had no gaps: what is not here does not exist.
    pub complete: bool,
    /// The tables in order of name.
    pub tables: Vec<TableReport>,
    /// The views in order of name.
    pub views: Vec<ViewReport>,
    /// The types in order of name.
    pub types: Vec<TypeReport>,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct TableReport {
    /// Its name, qualified unless in the default schema.
    pub name: String,
    /// A statement about it could not be read.
    pub uncertain: bool,
    /// Its columns in order.
    pub columns: Vec<ColumnReport>,
    /// Its constraints.
    pub constraints: Vec<ConstraintReport>,
    /// Its indexes.
    pub indexes: Vec<IndexReport>,
    /// The table that it is a partition of.
    pub partition_of: Option<String>,
    /// How it is partitioned: `range (day)`.
    pub partition_by: Option<String>,
    /// Its triggers.
    pub triggers: Vec<String>,
    /// The tables whose foreign keys point at it.
    pub referenced_by: Vec<String>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ColumnReport {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: String,
    /// Whether it refuses NULL.
    pub not_null: bool,
    /// Its default as written.
    pub default: Option<String>,
    /// Its generation expression as written.
    pub generated: Option<String>,
    /// Whether it is an identity column.
    pub identity: bool,
}

/// A constraint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConstraintReport {
    /// Its name.
    pub name: String,
    /// `check`, `not-null`, `unique`, `primary-key`, `foreign-key`, `exclude`.
    pub kind: String,
    /// Its columns, or its expression.
    pub definition: String,
    /// Whether old rows are known to satisfy it.
    pub valid: bool,
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct IndexReport {
    /// Its name.
    pub name: String,
    /// Its keys.
    pub keys: Vec<String>,
    /// Whether values are distinct.
    pub unique: bool,
    /// Whether it is complete.
    pub valid: bool,
    /// The rows that it holds.
    pub predicate: Option<String>,
}

/// A view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ViewReport {
    /// Its name.
    pub name: String,
    /// Whether rows are stored.
    pub materialized: bool,
    /// The relations that it reads.
    pub reads: Vec<String>,
    /// Its query as written.
    pub query: String,
}

/// A type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TypeReport {
    /// Its name.
    pub name: String,
    /// `enum`, `domain`, `composite`, `other`.
    pub kind: String,
    /// The labels of an enum.
    pub labels: Vec<String>,
}

/// The schema on the wire.
pub fn schema_report(catalog: &Catalog, target: &Target) -> SchemaReport {
    let dialect = catalog.dialect();
    let (mut tables, mut views) = (Vec::new(), Vec::new());
    for (name, relation) in catalog.relations() {
        let name = name.display(dialect);
        match &relation.kind {
            RelationKind::Table(table) => tables.push(table_report(name, relation.uncertain, table, dialect)),
            RelationKind::View(view) => views.push(ViewReport {
                name,
                materialized: view.materialized,
                reads: view.depends_on.iter().map(|it| it.relation.display(dialect)).collect(),
                query: view.query.text.clone(),
            }),
            RelationKind::Index(_) | RelationKind::Sequence(_) => {}
        }
    }
    tables.sort_by(|a, b| a.name.cmp(&b.name));
    views.sort_by(|a, b| a.name.cmp(&b.name));
    let mut types: Vec<TypeReport> =
        catalog.types().map(|(name, ty)| type_report(name.display(dialect), ty)).collect();
    types.sort_by(|a, b| a.name.cmp(&b.name));
    SchemaReport { version: 1, target: target.into(), complete: catalog.is_complete(), tables, views, types }
}

fn type_report(name: String, ty: &UserType) -> TypeReport {
    let (kind, labels) = match ty {
        UserType::Enum(labels) => ("enum", labels.clone()),
        UserType::Domain { .. } => ("domain", Vec::new()),
        UserType::Composite(_) => ("composite", Vec::new()),
        UserType::Else => ("other", Vec::new()),
    };
    TypeReport { name, kind: kind.to_owned(), labels }
}

fn table_report(name: String, uncertain: bool, table: &Table, dialect: Dialect) -> TableReport {
    let partition_by =
        table.partition_by.as_ref().map(|it| format!("{} ({})", it.method, it.columns.join(", ")));
    let mut referenced_by: Vec<String> = table.referenced_by.iter().map(|it| it.display(dialect)).collect();
    referenced_by.sort();
    referenced_by.dedup();
    TableReport {
        name,
        uncertain,
        columns: table.columns.iter().map(column_report).collect(),
        constraints: table.constraints.iter().map(|it| constraint_report(it, dialect)).collect(),
        indexes: table.indexes.iter().map(index_report).collect(),
        partition_of: table.partition_of.as_ref().map(|(parent, _)| parent.display(dialect)),
        partition_by,
        triggers: table.triggers.iter().map(|it| it.name.clone()).collect(),
        referenced_by,
    }
}

fn column_report(column: &crate::catalog::ColumnState) -> ColumnReport {
    ColumnReport {
        name: column.name.clone(),
        ty: column.ty.to_string(),
        not_null: column.not_null,
        default: column.default.as_ref().map(|it| it.text.clone()),
        generated: column.generated.as_ref().map(|it| it.expression.text.clone()),
        identity: column.identity.is_some(),
    }
}

fn constraint_report(constraint: &ConstraintState, dialect: Dialect) -> ConstraintReport {
    let (kind, definition) = match &constraint.demand {
        Demand::Check(check) => ("check", check.text.clone()),
        Demand::NotNull(column) => ("not-null", column.clone()),
        Demand::Unique(columns) => ("unique", columns.join(", ")),
        Demand::PrimaryKey(columns) => ("primary-key", columns.join(", ")),
        Demand::Exclude(columns) => ("exclude", columns.join(", ")),
        Demand::ForeignKey { columns, references, .. } => {
            ("foreign-key", format!("{} -> {}", columns.join(", "), references.display(dialect)))
        }
    };
    ConstraintReport {
        name: constraint.name.clone(),
        kind: kind.to_owned(),
        definition,
        valid: constraint.valid,
    }
}

fn index_report(index: &Index) -> IndexReport {
    IndexReport {
        name: index.name.name.to_string(),
        keys: index.keys.iter().map(|key| key.text.text.clone()).collect(),
        unique: index.unique,
        valid: index.valid,
        predicate: index.predicate.as_ref().map(|it| it.text.clone()),
    }
}
