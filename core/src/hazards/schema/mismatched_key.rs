//! The column cannot hold every value of the key that it refers to, and inserts fail when the key has grown past it.

use crate::catalog::{Catalog, RelationName};
use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{
    Constraint, ConstraintKind, CreateTable, ForeignKey, Kind, Operation, TableAction, TypeName,
};
use crate::text::Span;

/// The column cannot hold every value of the key that it refers to, and inserts fail when the key has grown past it.
pub(crate) static RULE: Rule = Rule {
    id: "mismatched-key",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("mismatched_key.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let found = match &operation.kind {
        Kind::CreateTable(create) => in_new_table(create, ctx),
        Kind::AlterTable(alter) => match &alter.action {
            TableAction::AddConstraint { constraint } => {
                let table = ctx.catalog.table_named(&alter.table)?;
                let ty = |name: &str| table.column(name).map(|it| it.ty.clone());
                narrower(key(constraint)?, ty, ctx)
            }
            TableAction::AddColumn { column, .. } => {
                let key = column.constraints.iter().find_map(key)?;
                narrower(key, |_| Some(column.ty.clone()), ctx)
            }
            _ => None,
        },
        _ => None,
    };
    let (span, own, other, parent) = found?;
    let message = format!("{own} cannot hold every {other} of {}", ctx.display(&parent));
    Some(Hazard::new(&RULE, span, message))
}

fn key(constraint: &Constraint) -> Option<&ForeignKey> {
    match &constraint.kind {
        ConstraintKind::ForeignKey(key) => Some(key),
        _ => None,
    }
}

type Narrower = (Span, TypeName, TypeName, RelationName);

fn in_new_table(create: &CreateTable, ctx: &Context<'_>) -> Option<Narrower> {
    let ty = |name: &str| create.columns.iter().find(|it| it.name.name == name).map(|it| it.ty.clone());
    let of_columns = create.columns.iter().flat_map(|column| &column.constraints);
    of_columns.chain(&create.constraints).filter_map(key).find_map(|key| narrower(key, ty, ctx))
}

/// The first column of a key that is a smaller whole number than the column that it refers to.
fn narrower(key: &ForeignKey, ty: impl Fn(&str) -> Option<TypeName>, ctx: &Context<'_>) -> Option<Narrower> {
    let parent = ctx.resolve(&key.references);
    let referenced = referenced(key, &parent, ctx.catalog)?;
    let state = ctx.catalog.table(&parent)?;
    key.columns.iter().zip(&referenced).find_map(|(own, other)| {
        let (own_type, other) = (ty(&own.name)?, state.column(other)?.ty.clone());
        let size = |ty: &TypeName| ["int2", "int4", "int8"].iter().position(|it| ty.is(it));
        (size(&own_type)? < size(&other)?).then(|| (own.span, own_type, other, parent.clone()))
    })
}

fn referenced(key: &ForeignKey, parent: &RelationName, catalog: &Catalog) -> Option<Vec<String>> {
    if key.referenced.is_empty() {
        return Some(catalog.table(parent)?.primary_key()?.to_vec());
    }
    Some(key.referenced.iter().map(|it| it.name.clone()).collect())
}
