//! Columns that are added, filled by one UPDATE, and take the place of others: what such a migration means.

use crate::catalog::RelationName;
use crate::dialect::Dialect;
use crate::engine::effect::drifts;
use crate::operation::{AlterTable, Column, Drop, Expression, Kind, ObjectKind, Operation, TableAction};

use super::Refusal;
use super::assigned::Assigned;
use super::make;
use super::scene::Scene;

/// A migration that adds columns, fills them from others, and perhaps drops those.
pub(crate) struct Derivation<'a> {
    /// The columns that are added and filled.
    pub added: Vec<&'a Column>,
    /// What they are filled with.
    pub assigned: Assigned,
    /// Those of them that refuse NULL in the end.
    pub required: Vec<&'a str>,
    /// What goes.
    pub dropped: Dropped<'a>,
    /// The places of the operations that it is made of.
    pub members: Vec<usize>,
}

/// What goes when the new columns are filled.
pub(crate) enum Dropped<'a> {
    /// Nothing.
    Nothing,
    /// Columns of the table that the values come from.
    Columns(Vec<&'a str>),
    /// That table.
    Table,
}

/// The subcommand and its table.
fn alter<'a>(operation: &'a Operation, table: &RelationName, scene: &Scene<'_>) -> Option<&'a AlterTable> {
    match &operation.kind {
        Kind::AlterTable(alter) if scene.resolve(&alter.table) == *table => Some(alter),
        _ => None,
    }
}

impl<'a> Derivation<'a> {
    /// Reads the migration that begins with these operations; `None` where they mean something else.
    pub fn of(operations: &[&'a Operation], scene: &Scene<'_>) -> Option<Self> {
        let Kind::AlterTable(first) = &operations.first()?.kind else { return None };
        let TableAction::AddColumn { .. } = &first.action else { return None };
        let table = scene.resolve(&first.table);
        let (at, assigned) = operations.iter().enumerate().find_map(|(at, it)| match &it.kind {
            Kind::Update(update) if scene.resolve(&update.table) == table => {
                Some((at, Assigned::of(update, scene)))
            }
            _ => None,
        })?;
        let assigned = assigned?;
        let mut derivation = Self {
            added: Vec::new(),
            assigned,
            required: Vec::new(),
            dropped: Dropped::Nothing,
            members: vec![at],
        };
        derivation.read_columns(&operations[..at], scene);
        let filled = derivation.assigned.set.len();
        (derivation.members.contains(&0) && derivation.added.len() == filled).then_some(())?;
        derivation.read_rest(operations, at, scene);
        derivation.members.sort_unstable();
        Some(derivation)
    }

    /// The columns that are added in front of the UPDATE and filled by it.
    fn read_columns(&mut self, operations: &[&'a Operation], scene: &Scene<'_>) {
        for (at, operation) in operations.iter().enumerate() {
            let action = alter(operation, &self.assigned.table, scene).map(|alter| &alter.action);
            let Some(TableAction::AddColumn { column, .. }) = action else { continue };
            if self.assigned.set.iter().any(|(set, _)| set.name == column.name.name) {
                self.added.push(column);
                self.members.push(at);
            }
        }
        self.required = self.added.iter().filter(|it| it.not_null).map(|it| it.name.name.as_str()).collect();
    }

    /// NOT NULL on the columns, and what is dropped, behind the UPDATE.
    fn read_rest(&mut self, operations: &[&'a Operation], update: usize, scene: &Scene<'_>) {
        let source = self.assigned.joined.as_ref().map_or(&self.assigned.table, |it| &it.table).clone();
        let mut columns = Vec::new();
        for (at, operation) in operations.iter().enumerate().skip(update + 1) {
            let own = alter(operation, &self.assigned.table, scene).map(|alter| &alter.action);
            if let Some(TableAction::SetNotNull { column }) = own {
                if self.added.iter().any(|it| it.name.name == column.name) {
                    self.required.push(&column.name);
                    self.members.push(at);
                }
                continue;
            }
            if let Some(TableAction::DropColumn { column, cascade: false, .. }) =
                alter(operation, &source, scene).map(|alter| &alter.action)
                && self.reads(&column.name, scene.dialect())
            {
                columns.push(column.name.as_str());
                self.members.push(at);
            }
            if self.assigned.joined.is_some() && drops(operation, &source, scene) {
                self.dropped = Dropped::Table;
                self.members.push(at);
                return;
            }
        }
        if !columns.is_empty() {
            self.dropped = Dropped::Columns(columns);
        }
    }

    /// Whether a value is computed from a column of the table that the values come from.
    fn reads(&self, column: &str, dialect: Dialect) -> bool {
        match &self.assigned.joined {
            Some(joined) => joined.values.iter().any(|it| Expression::new(it.clone()).names(column, dialect)),
            None => self.assigned.set.iter().any(|(_, value)| value.names(column, dialect)),
        }
    }

    /// The value of each new column in every row: what the UPDATE leaves out has the default.
    ///
    /// # Errors
    /// [`Refusal`] where a value differs from one moment to the next, or a column is more than type, default and NOT NULL.
    pub fn values(&self, scene: &Scene<'_>) -> Result<Vec<Expression>, Refusal> {
        let mut values = Vec::new();
        for column in &self.added {
            let name = &column.name.name;
            let refuse = |why: &str| Err(Refusal::new(format!("{name} {why}")));
            if !column.constraints.is_empty() || column.generated.is_some() || column.identity.is_some() {
                return refuse(
                    "is added with constraints of its own: put them into a migration behind this one, so that they can be checked beside \
                     readers and writers",
                );
            }
            let set = self.assigned.set.iter().find(|(set, _)| set.name == *name);
            let Some((_, value)) = set else { return refuse("is not filled") };
            let condition = self.assigned.condition.as_ref();
            let moving = |it: &Expression| drifts(it, scene.catalog);
            if moving(value) || condition.is_some_and(moving) {
                return refuse(
                    "gets a value that differs from one moment to the next: old and new could not be kept in step",
                );
            }
            if let (Some(_), Some(default)) = (&self.assigned.joined, &column.default)
                && self.required.contains(&name.as_str())
            {
                values.push(Expression::new(format!("coalesce({}, {})", value.text, default.text)));
                continue;
            }
            let default = column.default.as_ref().map(|it| format!(" ELSE {}", it.text)).unwrap_or_default();
            // What no row of the other table belongs to is NULL anyway.
            let condition = condition.filter(|_| self.assigned.joined.is_none() || !default.is_empty());
            values.push(match condition {
                Some(condition) => {
                    Expression::new(format!("CASE WHEN {} THEN {}{default} END", condition.text, value.text))
                }
                None => value.clone(),
            });
        }
        Ok(values)
    }
}

fn drops(operation: &Operation, table: &RelationName, scene: &Scene<'_>) -> bool {
    match &operation.kind {
        Kind::Drop(Drop { object: ObjectKind::Table, names, cascade: false, .. }) => {
            matches!(names.as_slice(), [name] if scene.resolve(name) == *table)
        }
        _ => false,
    }
}

/// A view keeps the columns that it reads, whatever they are called later.
///
/// # Errors
/// [`Refusal`] where a view reads one of the columns that go.
pub(crate) fn refuse_views(scene: &Scene<'_>, table: &RelationName, columns: &[&str]) -> Result<(), Refusal> {
    let reads = |column| scene.catalog.views_on_column(table, column).first().map(|view| (*view, column));
    let Some((view, column)) = columns.iter().copied().find_map(reads) else { return Ok(()) };
    Err(Refusal::new(format!(
        "the view {} reads {column}, which goes: make it do without that in a migration of its own first",
        view.display(scene.dialect())
    )))
}

/// A column that is added, without default and conditions.
pub(crate) fn bare(column: &Column) -> Column {
    make::column(&column.name.name, column.ty.clone(), column.collation.clone())
}

/// The values of columns of a table from the other side, as the developer's way back computes them.
pub(crate) fn way_back(table: &RelationName, columns: &[&str], scene: &Scene<'_>) -> Vec<Option<Expression>> {
    let operations = scene.operations_back();
    let updates = operations.iter().filter_map(|it| match &it.kind {
        Kind::Update(update) if scene.resolve(&update.table) == *table => Assigned::of(update, scene),
        _ => None,
    });
    let assigned: Vec<Assigned> = updates.collect();
    let value = |column: &&str| {
        let set = assigned.iter().filter(|it| it.condition.is_none()).flat_map(|it| &it.set);
        set.filter(|(set, _)| set.name == **column).map(|(_, value)| value.clone()).next()
    };
    columns.iter().map(value).collect()
}
