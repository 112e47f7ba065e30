//! What a migration says of columns that it adds, fills or requires.

use std::collections::BTreeSet;

use crate::catalog::RelationName;
use crate::mechanics::assigned::Assigned;
use crate::mechanics::scene::Scene;
use crate::operation::{Column, Expression, Kind, Operation, TableAction, Update};

/// What a migration says of some columns of a table.
pub(super) struct Reading<'a> {
    pub table: RelationName,
    pub columns: Vec<Meant<'a>>,
    /// The changes of rows that fill them.
    pub updates: Vec<(&'a Operation, &'a Update, Assigned)>,
    /// Indexes and constraints of the table that stand between.
    pub rest: Vec<&'a Operation>,
    /// The places of the operations that it is made of.
    pub members: Vec<usize>,
    /// The operations about one column each.
    about: Vec<(&'a Operation, &'a str)>,
}

/// What a migration says of one column.
pub(super) struct Meant<'a> {
    pub name: &'a str,
    /// The operation that adds it.
    pub added: Option<(&'a Operation, &'a Column)>,
    /// Whether it refuses NULL in the end.
    pub required: bool,
    /// Its default in the end, where the migration says one.
    pub default: Option<Expression>,
    /// Whether it had a default meanwhile and has none in the end.
    pub loses_default: bool,
}

impl<'a> Meant<'a> {
    /// A column that is there already, of which nothing is said yet.
    fn known(name: &'a str) -> Self {
        Self { name, added: None, required: false, default: None, loses_default: false }
    }
}

impl<'a> Reading<'a> {
    pub fn of(operations: &[&'a Operation], scene: &Scene<'_>) -> Option<Self> {
        let table = scene.resolve(operations.first()?.relation()?);
        let live = scene.catalog.table(&table).is_some()
            && !scene.catalog.is_new(&table)
            && !scene.catalog.is_temporary(&table);
        (live && may_begin(operations)).then_some(())?;
        let mut reading = Self {
            table,
            columns: Vec::new(),
            updates: Vec::new(),
            rest: Vec::new(),
            members: Vec::new(),
            about: Vec::new(),
        };
        let required = required(operations);
        for (at, operation) in operations.iter().enumerate() {
            if operation.relation().map(|it| scene.resolve(it)).as_ref() != Some(&reading.table) {
                continue;
            }
            // A change of columns that nothing requires is another change, unless it gives new ones their values.
            let other = |it: &Update| !reading.adds() && !changes_any(it, &required);
            if matches!(&operation.kind, Kind::Update(update) if other(update)) {
                continue;
            }
            match reading.read(operation, scene) {
                Read::Member => reading.members.push(at),
                Read::Beside => {}
                Read::End => break,
            }
            // What the change does not begin with belongs to another.
            if reading.members.first() != Some(&0) {
                return None;
            }
        }
        reading.part_with_others(operations)?;
        // Indexes and constraints behind all members are carried out behind them by themselves.
        let last_own = operations.iter().enumerate().rev().find(|(at, it)| {
            reading.members.contains(at) && !reading.rest.iter().any(|rest| std::ptr::eq(*rest, **it))
        });
        let last_own = last_own.map(|(at, _)| at)?;
        reading.members.retain(|at| *at <= last_own);
        let kept: Vec<&Operation> = reading.members.iter().map(|at| operations[*at]).collect();
        reading.rest.retain(|rest| kept.iter().any(|it| std::ptr::eq(*it, *rest)));
        Some(reading)
    }

    /// Columns that are only added stand among the rest: they are no part of the change, but between its parts.
    fn part_with_others(&mut self, operations: &[&'a Operation]) -> Option<()> {
        if !self.adds() {
            return Some(());
        }
        let (own, others): (Vec<Meant<'a>>, Vec<Meant<'a>>) =
            std::mem::take(&mut self.columns).into_iter().partition(|it| self.is_own(it));
        let first = self.about.first().map(|(_, column)| *column);
        self.columns = own;
        self.columns.iter().any(|it| Some(it.name) == first).then_some(())?;
        let theirs = self.about.iter().filter(|(_, column)| others.iter().any(|it| it.name == *column));
        self.rest.extend(theirs.map(|(operation, _)| *operation));
        let place = |it: &&Operation| operations.iter().position(|other| std::ptr::eq(*other, *it));
        self.rest.sort_by_key(place);
        Some(())
    }

    /// Whether it is more than a column that is added.
    fn is_own(&self, column: &Meant<'a>) -> bool {
        let required_later = column.required && column.added.is_some_and(|(_, own)| !own.not_null);
        self.fills(column) || column.loses_default || required_later
    }

    fn fills(&self, column: &Meant<'a>) -> bool {
        self.updates.iter().any(|(.., it)| it.set.iter().any(|(set, _)| set.name == column.name))
    }

    fn read(&mut self, operation: &'a Operation, scene: &Scene<'_>) -> Read {
        match &operation.kind {
            Kind::Update(update) => self.read_update(operation, update, scene),
            Kind::CreateIndex(index) if self.has_begun() && index.name.is_some() && !index.concurrently => {
                self.rest.push(operation);
                Read::Member
            }
            Kind::AlterTable(alter) => match &alter.action {
                TableAction::AddColumn { column, .. } => self.read_added(operation, column),
                TableAction::AddConstraint { constraint }
                    if self.has_begun() && constraint.name.is_some() =>
                {
                    self.rest.push(operation);
                    Read::Member
                }
                TableAction::SetNotNull { column } => {
                    self.of_column((operation, &column.name), scene, |it| it.required = true)
                }
                TableAction::SetDefault { column, default } => {
                    self.of_column((operation, &column.name), scene, |it| {
                        (it.default, it.loses_default) = (Some(default.clone()), false);
                    })
                }
                TableAction::DropDefault { column } => {
                    self.of_column((operation, &column.name), scene, |it| {
                        (it.default, it.loses_default) = (None, true);
                    })
                }
                TableAction::ValidateConstraint { .. } => Read::Beside,
                _ => Read::End,
            },
            _ => Read::End,
        }
    }

    /// What the change begins with is a column or a change of rows.
    fn has_begun(&self) -> bool {
        !self.columns.is_empty()
    }

    fn read_added(&mut self, operation: &'a Operation, column: &'a Column) -> Read {
        let by_itself = column.generated.is_some() || column.identity.is_some() || column.ty.serial;
        if by_itself || !self.updates.is_empty() && self.column(&column.name.name).is_some() {
            return Read::Beside;
        }
        self.about.push((operation, &column.name.name));
        self.columns.push(Meant {
            added: Some((operation, column)),
            required: column.not_null,
            default: column.default.clone().filter(|it| !it.is_null()),
            ..Meant::known(&column.name.name)
        });
        Read::Member
    }

    fn read_update(&mut self, operation: &'a Operation, update: &'a Update, scene: &Scene<'_>) -> Read {
        let Some(assigned) = Assigned::of(update, scene) else { return Read::End };
        let Some(set) = &update.set else { return Read::End };
        // Beside columns that are added, a change of others is another change.
        if self.adds() && set.iter().any(|(column, _)| self.column(&column.name).is_none()) {
            return Read::End;
        }
        for (column, _) in set {
            if self.column(&column.name).is_none() {
                self.columns.push(Meant::known(&column.name));
            }
        }
        self.updates.push((operation, update, assigned));
        Read::Member
    }

    fn column(&self, name: &str) -> Option<&Meant<'a>> {
        self.columns.iter().find(|it| it.name == name)
    }

    fn of_column(
        &mut self,
        (operation, name): (&'a Operation, &'a str),
        scene: &Scene<'_>,
        change: impl FnOnce(&mut Meant<'a>),
    ) -> Read {
        let state = scene.catalog.table(&self.table).and_then(|it| it.column(name));
        if state.is_some_and(|it| it.not_null && self.column(name).is_none_or(|it| it.added.is_none())) {
            // It says what is so already, or is about a column that needs nothing.
            return Read::Beside;
        }
        if self.column(name).is_none() {
            let known = state.is_some();
            let first = self.columns.is_empty() && self.updates.is_empty();
            if !known || !first {
                return Read::Beside;
            }
            self.columns.push(Meant::known(name));
        }
        if let Some(column) = self.columns.iter_mut().find(|it| it.name == name) {
            change(column);
            self.about.push((operation, name));
        }
        Read::Member
    }

    /// Whether it adds the columns that it is about.
    pub fn adds(&self) -> bool {
        self.columns.iter().any(|it| it.added.is_some())
    }

    /// Whether it is more than statements that stand side by side.
    pub fn is_one_change(&self, scene: &Scene<'_>) -> bool {
        let all_added = self.columns.iter().all(|it| it.added.is_some());
        if self.adds() {
            let reads_own = self.updates.iter().any(|(.., assigned)| {
                let of_own = |it: &Expression| self.about.iter().any(|(_, own)| self.names(it, own, scene));
                assigned.set.iter().any(|(_, value)| of_own(value))
                    || assigned
                        .condition
                        .as_ref()
                        .is_some_and(|it| of_own(it) && !self.asks_for_null(it, scene))
            });
            return all_added && !reads_own && self.columns.iter().all(|it| self.is_own(it));
        }
        !self.updates.is_empty() && self.columns.iter().all(|it| it.required && self.fills(it))
    }

    /// Whether an expression names a column of the table itself: that of another one stands behind that one's name.
    fn names(&self, expression: &Expression, column: &str, scene: &Scene<'_>) -> bool {
        let mut found = false;
        expression.each_column(scene.dialect(), |word| {
            let own = word.qualifier.is_none_or(|it| *it.name == *self.table.name);
            found |= own && word.name.name == column;
        });
        found
    }

    /// Whether a condition only asks for rows without a value in one of the columns.
    fn asks_for_null(&self, condition: &Expression, scene: &Scene<'_>) -> bool {
        let words = crate::operation::spelled_words(&condition.text, scene.dialect());
        let named = self.columns.iter().any(|it| words.iter().any(|word| *word == scene.quote(it.name)));
        let ends = words.ends_with(&["is".to_owned(), "null".to_owned()]);
        named && ends && words.len() <= 5
    }

    /// What a new column holds behind all changes, in words of the row.
    pub fn value(&self, column: &Meant<'a>, scene: &Scene<'_>) -> Option<Expression> {
        let first = column.added.and_then(|(_, it)| it.default.clone()).filter(|it| !it.is_null());
        let mut value: Option<String> = first.map(|it| it.text);
        for (.., assigned) in &self.updates {
            let Some(set) = assigned.value(column.name) else { continue };
            // Rows of the other table that are not there give NULL anyway.
            let condition = assigned.condition.as_ref().filter(|it| {
                !it.is_tautology(scene.dialect()) && (assigned.joined.is_none() || value.is_some())
            });
            value = Some(match (condition, value) {
                (None, _) => set,
                (Some(it), None) if self.asks_for_null(it, scene) => set,
                (Some(it), Some(before)) if self.asks_for_null(it, scene) => {
                    format!("coalesce({before}, {set})")
                }
                (Some(it), None) => format!("CASE WHEN {} THEN {set} END", it.text),
                (Some(it), Some(before)) => format!("CASE WHEN {} THEN {set} ELSE {before} END", it.text),
            });
        }
        value.map(Expression::new)
    }
}

/// Whether such a change may begin here, told without reading expressions: a file may change rows a thousand times.
fn may_begin(operations: &[&Operation]) -> bool {
    let Some((first, rest)) = operations.split_first() else { return false };
    match &first.kind {
        Kind::Update(update) => changes_any(update, &required(rest)),
        Kind::AlterTable(_) => true,
        _ => false,
    }
}

/// The columns that operations require, each with the name of its table.
fn required<'a>(operations: &[&'a Operation]) -> BTreeSet<(&'a str, &'a str)> {
    let columns = operations.iter().filter_map(|it| match &it.kind {
        Kind::AlterTable(alter) => match &alter.action {
            TableAction::SetNotNull { column } => Some((alter.table.name.as_str(), column.name.as_str())),
            _ => None,
        },
        _ => None,
    });
    columns.collect()
}

/// Whether an update changes one of these columns.
fn changes_any(update: &Update, columns: &BTreeSet<(&str, &str)>) -> bool {
    update.columns.iter().any(|it| columns.contains(&(update.table.name.as_str(), it.name.as_str())))
}

/// What became of an operation.
enum Read {
    Member,
    Beside,
    End,
}
