//! A change that has no online form is made on an empty copy beside the table; the copy is filled and takes the table's place.

use crate::catalog::{Catalog, RelationName, Table};
use crate::dialect::{Dialect, Ident, Name};
use crate::engine::preflight;
use crate::mechanics::Refusal;
use crate::mechanics::details;
use crate::mechanics::make::{self, On};
use crate::mechanics::scene::Scene;
use crate::mechanics::twin::{self, Shape, Twin};
use crate::operation::{
    AlterTable, ConstraintKind, Identity, Kind, Maintenance, Operation, RelationWord, TableAction,
};
use crate::plan::{Criterion, Phase, Statement, Way, Written};
use crate::text::Span;

use super::{Form, Recipe};

pub(super) static RECIPE: Recipe = Recipe {
    id: "swap-table",
    dialects: &[Dialect::Postgres],
    page: include_str!("swap_table.md"),
    ways: &[Way::Triggers],
    form: Form::Each { applies: |operation| Asked::of(operation).is_some(), claim, write },
};

/// Whether several of the kind can be made on the way of one copy.
pub(super) fn is_shared(action: &TableAction) -> bool {
    match action {
        TableAction::AddColumn { column, .. } => column.generated.as_ref().is_some_and(|it| it.stored),
        TableAction::SetExpression { .. } => true,
        _ => false,
    }
}

/// The stored columns of one table, up to the first statement about it that is something else.
fn claim(operations: &[&Operation], scene: &Scene<'_>) -> Option<Vec<usize>> {
    let of = |operation: &Operation| match &operation.kind {
        Kind::AlterTable(alter) if is_shared(&alter.action) => Some(scene.resolve(&alter.table)),
        _ => None,
    };
    let table = of(operations.first()?)?;
    (scene.catalog.table(&table).is_some() && !scene.catalog.is_new(&table)).then_some(())?;
    let about = |it: &Operation| match it.relations(scene.dialect()) {
        Some(names) => names.iter().any(|it| scene.resolve(it) == table),
        None => true,
    };
    let own = |(_, it): &(usize, &&Operation)| of(it).as_ref() == Some(&table);
    let members = operations.iter().enumerate().take_while(|it| own(it) || !about(it.1)).filter(own);
    let members: Vec<usize> = members.map(|(at, _)| at).collect();
    (members.len() > 1).then_some(members)
}

/// A change that rewrites the table, or builds what cannot be built beside it.
#[derive(Debug, Clone, Copy)]
enum Asked<'a> {
    /// The table is another.
    Alter(&'a AlterTable),
    /// The same rows, without the room of those that are gone.
    Compact(&'a Name),
    /// The same rows in the order of an index.
    Ordered(&'a Name, &'a Ident),
}

impl<'a> Asked<'a> {
    fn of(operation: &'a Operation) -> Option<Self> {
        match &operation.kind {
            Kind::AlterTable(alter) => {
                let takes = match &alter.action {
                    TableAction::AddConstraint { constraint } => {
                        matches!(constraint.kind, ConstraintKind::Exclude { .. })
                    }
                    TableAction::AddColumn { column, .. } => {
                        column.generated.as_ref().is_some_and(|it| it.stored)
                    }
                    TableAction::SetExpression { .. }
                    | TableAction::SetLogged { .. }
                    | TableAction::SetTablespace { .. }
                    | TableAction::SetAccessMethod { .. } => true,
                    _ => false,
                };
                (takes && alter.relation == RelationWord::Table).then_some(Self::Alter(alter))
            }
            Kind::Maintain(maintain) => match (maintain.command, maintain.tables.as_slice()) {
                (Maintenance::VacuumFull, [table]) => Some(Self::Compact(table)),
                (Maintenance::Cluster, [table]) => Some(Self::Ordered(table, maintain.index.as_ref()?)),
                _ => None,
            },
            _ => None,
        }
    }

    fn table(self) -> &'a Name {
        match self {
            Self::Alter(alter) => &alter.table,
            Self::Compact(table) | Self::Ordered(table, _) => table,
        }
    }

    /// How the table is altered; `None` where it stays as it is.
    fn action(self) -> Option<&'a TableAction> {
        match self {
            Self::Alter(alter) => Some(&alter.action),
            Self::Compact(_) | Self::Ordered(..) => None,
        }
    }
}

fn write(operations: &[&Operation], scene: &Scene<'_>, _: Way) -> Result<Vec<Phase>, Refusal> {
    let asked = operations.iter().map(|it| Some((*it, Asked::of(it)?))).collect::<Option<Vec<_>>>();
    let Some(([(_, first), ..], all)) = asked.as_ref().map(|it| (it.as_slice(), it)) else {
        return Err(Refusal::new("it does not rewrite a table"));
    };
    let table = scene.resolve(first.table());
    let state = scene.table(&table)?;
    let name = twin::name(&table);
    let change = Change { scene, asked: all, table: &table, state, twin: &name };
    let twin = Twin::of(scene, &table, state, &name, change.shape()?)?;
    change.refuse_unlogged(&twin)?;
    let mut phases = twin.phases()?;
    if let (Some(TableAction::AddConstraint { constraint }), Some(expand)) =
        (first.action(), phases.first_mut())
    {
        let text = constraint.span.of(scene.text);
        let conflicts = preflight::conflicts(&table, text, scene.dialect());
        expand.entry.push(Criterion::told_by("no rows exclude each other", conflicts));
    }
    Ok(phases)
}

struct Change<'a> {
    scene: &'a Scene<'a>,
    /// The changes of one table, in order.
    asked: &'a [(&'a Operation, Asked<'a>)],
    table: &'a RelationName,
    state: &'a Table,
    twin: &'a RelationName,
}

impl Change<'_> {
    fn shape(&self) -> Result<Shape, Refusal> {
        let after = self.changed().table(self.table).cloned().unwrap_or_default();
        let (mut create, mut order) = (self.like(), Vec::new());
        for (operation, asked) in self.asked {
            match asked {
                Asked::Alter(alter) => create.push(self.changed_twin(operation, alter)),
                Asked::Compact(_) => {}
                Asked::Ordered(_, index) => {
                    let there;
                    (there, order) = self.ordered_by(index, &create)?;
                    create.push(self.on_twin().does(TableAction::ClusterOn { index: make::ident(there) }));
                }
            }
        }
        let mut again = self.like();
        again.extend(self.undone()?);
        let moves = |action: &TableAction| {
            matches!(action, TableAction::SetTablespace { .. } | TableAction::SetAccessMethod { .. })
        };
        let keeps_place = !self.actions().any(moves);
        Ok(Shape { create, after, again, title: self.title(), keeps_place, order })
    }

    /// The schema with the changes made directly.
    fn changed(&self) -> Catalog {
        let mut changed = self.scene.catalog.clone();
        self.asked.iter().for_each(|(operation, _)| changed.apply(operation));
        changed
    }

    fn actions(&self) -> impl Iterator<Item = &TableAction> {
        self.asked.iter().filter_map(|(_, it)| it.action())
    }

    /// The twin's index that is like one of the table, and the columns in whose order its rows come over.
    fn ordered_by(&self, index: &Ident, create: &[Statement]) -> Result<(String, Vec<String>), Refusal> {
        let made = twin::after(self.scene.catalog, create, self.twin);
        let pairs = self.state.indexes.iter().zip(&made.indexes);
        let (own, there) = pairs
            .into_iter()
            .find(|(own, _)| *own.name.name == *index.name)
            .ok_or_else(|| Refusal::new(format!("{} is no index of the table", index.name)))?;
        let plain = |column: &String| self.state.column(column).is_some_and(|it| it.not_null);
        let columns = own.keys.iter().map(|key| key.column.clone().filter(plain));
        let columns: Option<Vec<String>> = columns.collect();
        let columns = columns.filter(|_| own.predicate.is_none()).ok_or_else(|| {
            Refusal::new(format!(
                "rows can be copied in the order of columns that refuse NULL, and {} holds others, or not all rows: pg_repack orders by it beside \
                 readers and writers; or take a window",
                index.name
            ))
        })?;
        Ok((there.name.name.to_string(), columns))
    }

    /// The empty twin. It takes the values of an identity from the table; its own sequence is of the same type, which LIKE forgets.
    fn like(&self) -> Vec<Statement> {
        let (table, twin) = (self.scene.name(self.table), self.scene.name(self.twin));
        let mut statements = vec![make::create_like(twin, table, self.state.unlogged)];
        let made = twin::after(self.scene.catalog, &statements, self.twin);
        for (column, there) in self.state.columns.iter().zip(&made.columns) {
            let (Some(identity), Some(sequence)) = (column.identity, &there.sequence) else { continue };
            statements.push(make::own_sequence(self.scene.name(sequence), Some(column.ty.clone()), None));
            if identity == Identity::Always {
                statements.push(self.on_twin().set_identity(&column.name, Identity::ByDefault));
            }
        }
        statements.extend(details::of_copy(self.scene.catalog, self.table, self.state, &self.on_twin()));
        statements
    }

    fn on_twin(&self) -> On {
        self.scene.on(self.twin)
    }

    /// The change as it was written, of the twin.
    fn changed_twin(&self, operation: &Operation, alter: &AlterTable) -> Statement {
        let words = format!("ALTER TABLE {} {}", self.scene.sql(self.twin), self.words(operation, alter));
        Written::read(words, self.scene.dialect()).into()
    }

    /// The words behind the table's name.
    fn words(&self, operation: &Operation, alter: &AlterTable) -> &str {
        let span = operation.span;
        let start = if span.contains(alter.table.span) { alter.table.span.end } else { span.start };
        let text = Span::new(start, span.end).of(self.scene.text).trim();
        text.trim_end_matches(';').trim_end()
    }

    /// The statements that take the change back on an empty table that is like the changed one; persistence, place and form are not copied.
    fn undone(&self) -> Result<Vec<Statement>, Refusal> {
        let undone = self.actions().map(|it| self.undone_one(it)).collect::<Result<Vec<_>, _>>()?;
        Ok(undone.into_iter().rev().flatten().collect())
    }

    fn undone_one(&self, action: &TableAction) -> Result<Vec<Statement>, Refusal> {
        Ok(match action {
            TableAction::AddColumn { column, .. } => {
                if self.state.column(&column.name.name).is_some() {
                    return Err(Refusal::new(format!("{} is there already", column.name.name)));
                }
                vec![self.on_twin().drop_column(&column.name.name, false)]
            }
            TableAction::SetExpression { column, .. } => {
                let generated = self.state.column(&column.name).and_then(|it| it.generated.as_ref());
                let Some(generated) = generated.filter(|it| it.stored) else {
                    return Err(Refusal::new(format!(
                        "{} is not a stored column: nothing is rewritten",
                        column.name
                    )));
                };
                let (column, expression) = (column.clone(), generated.expression.clone());
                vec![self.on_twin().does(TableAction::SetExpression { column, expression })]
            }
            TableAction::AddConstraint { .. } => {
                let like = twin::after(&self.changed(), &self.like(), self.twin);
                let last = like.indexes.last();
                last.map(|it| self.on_twin().drop_constraint(&it.name.name)).into_iter().collect()
            }
            _ => Vec::new(),
        })
    }

    fn title(&self) -> String {
        let added = |action: &TableAction| match action {
            TableAction::AddColumn { column, .. } => Some(column.name.name.clone()),
            _ => None,
        };
        let action = match self.asked[0].1 {
            Asked::Compact(_) => return "without the room of rows that are gone".to_owned(),
            Asked::Ordered(_, index) => return format!("in the order of {}", index.name),
            Asked::Alter(alter) => &alter.action,
        };
        match action {
            TableAction::AddColumn { .. } => {
                let added: Vec<String> = self.actions().filter_map(added).collect();
                format!("the table with {}", added.join(", "))
            }
            TableAction::SetExpression { column, .. } => format!("the table with another {}", column.name),
            TableAction::SetLogged { logged: true } => "logged".to_owned(),
            TableAction::SetLogged { logged: false } => "unlogged".to_owned(),
            TableAction::SetTablespace { tablespace } => format!("in {tablespace}"),
            TableAction::SetAccessMethod { method } => format!("a table of {method}"),
            _ => "the table with the constraint".to_owned(),
        }
    }

    /// The server refuses it too, but only when the first foreign key is to go over.
    fn refuse_unlogged(&self, twin: &Twin<'_>) -> Result<(), Refusal> {
        let unlogged = self.actions().any(|it| matches!(it, TableAction::SetLogged { logged: false }));
        match twin.references.first().filter(|_| unlogged) {
            Some(reference) => Err(Refusal::new(format!(
                "{} points at the table, and no logged table may point at an unlogged one",
                reference.shown(self.scene)
            ))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
