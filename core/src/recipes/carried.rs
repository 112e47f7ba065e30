//! What hangs on a column and must hang on its successor: indexes, constraints, NOT NULL, default.

use crate::catalog::{ColumnState, ConstraintState, Demand, Index, IndexColumn, RelationName, Table};
use crate::operation::Expression;
use crate::plan::{Phase, PhaseKind, SqlStep, Step};

use super::Refusal;
use super::scene::{Scene, name_of};

/// A part of what hangs on a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// That it refuses NULL.
    NotNull,
    /// Its default.
    Default,
}

/// What hangs on a column, to be made again on its successor.
pub(super) struct Carried<'a> {
    scene: &'a Scene<'a>,
    table: &'a RelationName,
    old: &'a str,
    new: &'a str,
    column: &'a ColumnState,
    indexes: Vec<&'a Index>,
    constraints: Vec<&'a ConstraintState>,
}

impl<'a> Carried<'a> {
    /// Looks at all that names `old`.
    ///
    /// # Errors
    /// [`Refusal`] where something cannot be carried over.
    pub fn of(
        scene: &'a Scene<'a>,
        table: &'a RelationName,
        state: &'a Table,
        old: &'a str,
        new: &'a str,
    ) -> Result<Self, Refusal> {
        refuse_key(scene, table, state, old)?;
        Self::of_key(scene, table, state, old, new)
    }

    /// What hangs on each of several columns that go without successors.
    ///
    /// # Errors
    /// [`Refusal`] where something could not be made again.
    pub fn all(
        scene: &'a Scene<'a>,
        table: &'a RelationName,
        state: &'a Table,
        columns: &[&'a str],
    ) -> Result<Vec<(&'a str, Self)>, Refusal> {
        columns.iter().map(|it| Ok((*it, Self::of(scene, table, state, it, it)?))).collect()
    }

    /// The same of a primary key: the key itself, what points at it and its sequence are carried over elsewhere.
    ///
    /// # Errors
    /// [`Refusal`] where something cannot be carried over.
    pub fn of_key(
        scene: &'a Scene<'a>,
        table: &'a RelationName,
        state: &'a Table,
        old: &'a str,
        new: &'a str,
    ) -> Result<Self, Refusal> {
        let shown = format!("{}.{old}", table.display(scene.dialect()));
        let column =
            state.column(old).ok_or_else(|| Refusal::new(format!("the column {shown} is not known")))?;
        if new != old && state.column(new).is_some() {
            return Err(Refusal::new(format!("the column {new} of {} is there already", table.name)));
        }
        refuse(scene, state, old, &shown)?;
        if new != old && column.not_null {
            super::check_then_not_null::possible(scene)?;
        }
        let dialect = scene.dialect();
        let names = |it: &&ConstraintState| crate::catalog::names_column(&it.demand, old, dialect);
        let constraints: Vec<_> = state.constraints.iter().filter(names).collect();
        let plain = |index: &&Index| {
            let kept_by = constraints.iter().any(|it| it.demand.has_index() && it.name == *index.name.name);
            index.names_column(old, dialect) && !kept_by
        };
        let indexes = state.indexes.iter().filter(plain).collect();
        Ok(Self { scene, table, old, new, column, indexes, constraints })
    }

    /// Whether the column refuses NULL.
    pub fn not_null(&self) -> bool {
        self.column.not_null
    }

    /// The name that something of the old column has while both stand.
    fn interim(&self, name: &str) -> String {
        name_of(&["lockkeeper", name])
    }

    /// The migrations that make indexes and constraints on the new column, behind the backfill.
    pub fn steps(&self) -> Vec<SqlStep> {
        let mut steps = Vec::new();
        for index in &self.indexes {
            steps.push(self.index_step(index, &index.name.name, index.unique));
        }
        for constraint in &self.constraints {
            self.constraint_steps(constraint, &mut steps);
        }
        if self.not_null() {
            steps.extend(self.not_null_steps());
        }
        steps
    }

    fn index_step(&self, index: &Index, name: &str, unique: bool) -> SqlStep {
        let interim = self.interim(name);
        let up = self.create_index(index, &interim, unique, "CONCURRENTLY ", self.new);
        let down = format!("DROP INDEX CONCURRENTLY IF EXISTS {}", self.scene.sibling(self.table, &interim));
        self.scene.alone(
            name_of(&[name, "on", self.new]),
            format!("build the successor of {name}"),
            &up,
            &down,
        )
    }

    fn create_index(
        &self,
        index: &Index,
        name: &str,
        unique: bool,
        concurrently: &str,
        column: &str,
    ) -> String {
        let renamed = Index {
            unique,
            keys: index
                .keys
                .iter()
                .map(|key| IndexColumn {
                    text: Expression::new(self.renamed(&key.text.text, column)),
                    ..key.clone()
                })
                .collect(),
            include: index
                .include
                .iter()
                .map(|it| if it == self.old { column.to_owned() } else { it.clone() })
                .collect(),
            predicate: index.predicate.as_ref().map(|it| Expression::new(self.renamed(&it.text, column))),
            ..index.clone()
        };
        create_index(self.scene, self.table, &renamed, name, concurrently)
    }

    /// The text with the old column's name replaced.
    fn renamed(&self, text: &str, column: &str) -> String {
        match column == self.old {
            true => text.to_owned(),
            false => Expression::new(text).with_column_renamed(self.scene.dialect(), self.old, column),
        }
    }

    fn constraint_steps(&self, constraint: &ConstraintState, steps: &mut Vec<SqlStep>) {
        let interim = self.interim(&constraint.name);
        let name = self.scene.quote(&interim);
        let table = self.scene.sql(self.table);
        match &constraint.demand {
            Demand::Unique(columns) => {
                let index = self.unique_index(columns);
                steps.push(self.index_step(&index, &constraint.name, true));
                let timing = timing(constraint);
                let up =
                    format!("ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}{timing}");
                let down = format!("ALTER TABLE {table} DROP CONSTRAINT {name}");
                let rebuilt = self.create_index(&index, &interim, true, "", self.new);
                let title = format!("make it the successor of {}", constraint.name);
                steps.push(self.scene.in_transaction(
                    name_of(&[&constraint.name, "constraint"]),
                    title,
                    &[up],
                    &[down, rebuilt],
                ));
            }
            Demand::Check(_) | Demand::ForeignKey { .. } => {
                let Some(definition) = self.definition(constraint, self.new) else { return };
                steps.extend(validated(self.scene, self.table, &interim, &definition, &constraint.name));
            }
            Demand::NotNull(_) | Demand::PrimaryKey(_) | Demand::Exclude(_) => {}
        }
    }

    fn unique_index(&self, columns: &[String]) -> Index {
        let key = |column: &String| crate::catalog::IndexColumn {
            column: Some(column.clone()),
            text: crate::operation::Expression::new(self.scene.quote(column)),
        };
        Index {
            name: self.table.clone(),
            unique: true,
            valid: true,
            keys: columns.iter().map(key).collect(),
            include: Vec::new(),
            predicate: None,
            method: "btree".to_owned(),
            children: Vec::new(),
            born: 0,
        }
    }

    /// The words of a constraint, on another column.
    fn definition(&self, constraint: &ConstraintState, column: &str) -> Option<String> {
        definition_with(
            self.scene,
            constraint,
            |text| self.renamed(text, column),
            |it| if it == self.old { column.to_owned() } else { it.to_owned() },
        )
    }

    fn not_null_steps(&self) -> Vec<SqlStep> {
        super::check_then_not_null::steps(self.scene, self.table, self.new)
    }

    /// The statements, in the transaction that drops the old column, that give its successors their final names.
    pub fn take_names(&self) -> Vec<String> {
        let table = self.scene.sql(self.table);
        let mut statements = Vec::new();
        for index in &self.indexes {
            let interim = self.scene.sibling(self.table, &self.interim(&index.name.name));
            statements
                .push(format!("ALTER INDEX {interim} RENAME TO {}", self.scene.quote(&index.name.name)));
        }
        for constraint in self.named_constraints() {
            let (from, to) = (self.interim(&constraint.name), &constraint.name);
            let (from, to) = (self.scene.quote(&from), self.scene.quote(to));
            statements.push(format!("ALTER TABLE {table} RENAME CONSTRAINT {from} TO {to}"));
        }
        if let Some((old, new)) = self.not_null_names() {
            statements.push(format!("ALTER TABLE {table} RENAME CONSTRAINT {new} TO {old}"));
        }
        statements
    }

    /// From 18 on NOT NULL is a constraint with a name: that of the old column and that of the new one.
    pub fn not_null_names(&self) -> Option<(String, String)> {
        let named = self.not_null() && self.scene.target.version.major >= 18 && self.old != self.new;
        let name = |column: &str| self.scene.quote(&name_of(&[&self.table.name, column, "not_null"]));
        named.then(|| (name(self.old), name(self.new)))
    }

    /// The statements that give the names back, before the old column is made again.
    pub fn give_names_back(&self) -> Vec<String> {
        let table = self.scene.sql(self.table);
        let mut statements = Vec::new();
        if let Some((old, new)) = self.not_null_names() {
            statements.push(format!("ALTER TABLE {table} RENAME CONSTRAINT {old} TO {new}"));
        }
        for index in &self.indexes {
            let (name, interim) = (&index.name.name, self.interim(&index.name.name));
            let name = self.scene.sibling(self.table, name);
            statements.push(format!("ALTER INDEX {name} RENAME TO {}", self.scene.quote(&interim)));
        }
        for constraint in self.named_constraints() {
            let (from, to) =
                (self.scene.quote(&constraint.name), self.scene.quote(&self.interim(&constraint.name)));
            statements.push(format!("ALTER TABLE {table} RENAME CONSTRAINT {from} TO {to}"));
        }
        statements
    }

    fn named_constraints(&self) -> impl Iterator<Item = &&'a ConstraintState> {
        self.constraints.iter().filter(|it| !matches!(it.demand, Demand::NotNull(_) | Demand::PrimaryKey(_)))
    }

    /// The statements that drop all of it but the default and NOT NULL.
    pub fn drop_all(&self) -> Vec<String> {
        let table = self.scene.sql(self.table);
        let indexes = self.indexes.iter().map(|it| format!("DROP INDEX {}", self.scene.sql(&it.name)));
        let constraints = self
            .named_constraints()
            .map(|it| format!("ALTER TABLE {table} DROP CONSTRAINT {}", self.scene.quote(&it.name)));
        indexes.chain(constraints).collect()
    }

    /// The statements that make everything again, but for some parts, on the old column, which has a name again when a contract phase is
    /// undone.
    pub fn make_again_on(&self, name: &str, without: &[Part]) -> Vec<String> {
        let table = self.scene.sql(self.table);
        let old = self.scene.quote(name);
        let mut statements = Vec::new();
        if self.not_null() && !without.contains(&Part::NotNull) {
            statements.push(format!("ALTER TABLE {table} ALTER COLUMN {old} SET NOT NULL"));
        }
        if let Some(default) = self.column.default.as_ref().filter(|_| !without.contains(&Part::Default)) {
            statements.push(format!("ALTER TABLE {table} ALTER COLUMN {old} SET DEFAULT {}", default.text));
        }
        for index in &self.indexes {
            statements.push(self.create_index(index, &index.name.name, index.unique, "", name));
        }
        let key = |it: &&&ConstraintState| matches!(it.demand, Demand::PrimaryKey(_));
        for constraint in self.constraints.iter().filter(|it| !key(it)) {
            if let Some(definition) = self.definition(constraint, name) {
                let own = self.scene.quote(&constraint.name);
                statements.push(format!("ALTER TABLE {table} ADD CONSTRAINT {own} {definition}"));
            }
        }
        statements
    }

    /// The default of the old column, which moves over when the old release is gone.
    pub fn default(&self) -> Option<&str> {
        self.column.default.as_ref().map(|default| default.text.as_str())
    }

    /// The type of the old column, with its collation.
    pub fn type_of_old(&self) -> String {
        let collation = self.column.collation.as_ref().map(|it| format!(" COLLATE {}", self.scene.quote(it)));
        format!("{}{}", self.column.ty, collation.unwrap_or_default())
    }
}

/// The statement that makes an index again, under a name. `how` is `CONCURRENTLY ` or nothing.
pub(super) fn create_index(
    scene: &Scene<'_>,
    table: &RelationName,
    index: &Index,
    name: &str,
    how: &str,
) -> String {
    let keys: Vec<&str> = index.keys.iter().map(|key| key.text.text.as_str()).collect();
    let unique = if index.unique { "UNIQUE " } else { "" };
    let mut sql = format!(
        "CREATE {unique}INDEX {how}{} ON {} USING {} ({})",
        scene.quote(name),
        scene.sql(table),
        index.method,
        keys.join(", ")
    );
    if !index.include.is_empty() {
        sql.push_str(&format!(" INCLUDE ({})", scene.list(index.include.iter().map(String::as_str))));
    }
    if let Some(predicate) = &index.predicate {
        sql.push_str(&format!(" WHERE {}", predicate.text));
    }
    sql
}

/// The words of a constraint, as `ADD CONSTRAINT name …` takes them; `None` for those that no words make again.
pub(super) fn definition(scene: &Scene<'_>, constraint: &ConstraintState) -> Option<String> {
    definition_with(scene, constraint, str::to_owned, str::to_owned)
}

fn definition_with(
    scene: &Scene<'_>,
    constraint: &ConstraintState,
    text: impl Fn(&str) -> String,
    column: impl Fn(&str) -> String,
) -> Option<String> {
    let list = |columns: &[String]| {
        let columns: Vec<String> = columns.iter().map(|it| column(it)).collect();
        scene.list(columns.iter().map(String::as_str))
    };
    match &constraint.demand {
        Demand::Check(check) => Some(format!("CHECK ({})", text(&check.text))),
        Demand::ForeignKey { columns, references, key } => {
            let referenced: Vec<&str> = key.referenced.iter().map(|it| it.name.as_str()).collect();
            let referenced = match referenced.as_slice() {
                [] => String::new(),
                some => format!(" ({})", scene.list(some.iter().copied())),
            };
            let (own, parent) = (list(columns), scene.sql(references));
            let actions = if key.actions.is_empty() { String::new() } else { format!(" {}", key.actions) };
            Some(format!(
                "FOREIGN KEY ({own}) REFERENCES {parent}{referenced}{actions}{}",
                timing(constraint)
            ))
        }
        Demand::Unique(columns) => Some(format!("UNIQUE ({}){}", list(columns), timing(constraint))),
        Demand::PrimaryKey(columns) => Some(format!("PRIMARY KEY ({}){}", list(columns), timing(constraint))),
        Demand::NotNull(_) | Demand::Exclude(_) => None,
    }
}

/// When a constraint is checked, as its definition says it.
fn timing(constraint: &ConstraintState) -> &'static str {
    match (constraint.deferrable, constraint.initially_deferred) {
        (_, true) => " DEFERRABLE INITIALLY DEFERRED",
        (true, false) => " DEFERRABLE",
        (false, false) => "",
    }
}

/// A constraint added without looking at old rows, and validated in a transaction of its own.
pub(super) fn validated(
    scene: &Scene<'_>,
    table: &RelationName,
    name: &str,
    definition: &str,
    shown: &str,
) -> Vec<SqlStep> {
    let (sql, quoted) = (scene.sql(table), scene.quote(name));
    let add = format!("ALTER TABLE {sql} ADD CONSTRAINT {quoted} {definition} NOT VALID");
    let drop = format!("ALTER TABLE {sql} DROP CONSTRAINT {quoted}");
    let validate = format!("ALTER TABLE {sql} VALIDATE CONSTRAINT {quoted}");
    let name = name_of(&[shown, "not_valid"]);
    let title = format!("add {shown} for new rows only");
    let (up, down) = (std::slice::from_ref(&add), std::slice::from_ref(&drop));
    let added = match definition.starts_with("FOREIGN KEY") {
        true => scene.on_two_tables(name, title, up, down),
        false => scene.in_transaction(name, title, up, down),
    };
    let checked = scene.in_transaction(
        name_of(&[shown, "validate"]),
        format!("check the old rows for {shown}, beside readers and writers"),
        &[validate],
        &[drop, add],
    );
    vec![added, checked]
}

/// The statements that give indexes and constraints of a table other names, each from the first of a pair to the second.
pub(super) fn renamed_parts(
    scene: &Scene<'_>,
    table: &RelationName,
    indexes: Vec<(&str, &str)>,
    constraints: Vec<(&str, &str)>,
) -> Vec<String> {
    let differ = |pairs: Vec<(&str, &str)>, text: &dyn Fn(&str, String) -> String| -> Vec<String> {
        let pairs = pairs.into_iter().filter(|(from, to)| from != to);
        pairs.map(|(from, to)| text(from, scene.quote(to))).collect()
    };
    let sql = scene.sql(table);
    let index = |from: &str, to: String| format!("ALTER INDEX {} RENAME TO {to}", scene.sibling(table, from));
    let constraint =
        |from: &str, to: String| format!("ALTER TABLE {sql} RENAME CONSTRAINT {} TO {to}", scene.quote(from));
    [differ(indexes, &index), differ(constraints, &constraint)].concat()
}

/// The phase that makes what hangs on the old column again on the new one.
pub(super) fn phase(carried: &Carried<'_>) -> Option<Phase> {
    let steps: Vec<Step> = carried.steps().into_iter().map(Step::Sql).collect();
    let title = "give the new column the indexes and constraints of the old one";
    (!steps.is_empty()).then(|| Phase::new(PhaseKind::Verification, title, steps))
}

/// A key cannot be carried over as other columns are.
fn refuse_key(scene: &Scene<'_>, table: &RelationName, state: &Table, old: &str) -> Result<(), Refusal> {
    let shown = format!("{}.{old}", table.display(scene.dialect()));
    let no = |why: &str| Err(Refusal::new(format!("{shown} {why}: no recipe carries that over yet")));
    if state.primary_key().is_some_and(|key| key.iter().any(|it| it == old)) {
        return no("is in the primary key");
    }
    let referenced = scene.catalog.tables().any(|(_, other)| {
        other.constraints.iter().any(|it| match &it.demand {
            Demand::ForeignKey { references, key, .. } => {
                references == table && key.referenced.iter().any(|it| it.name == old)
            }
            _ => false,
        })
    });
    if referenced {
        return no("is what a foreign key points at");
    }
    if state.column(old).is_some_and(|it| it.identity.is_some() || it.sequence.is_some()) {
        return no("draws its values from a sequence");
    }
    Ok(())
}

/// What cannot be carried over.
fn refuse(scene: &Scene<'_>, state: &Table, old: &str, shown: &str) -> Result<(), Refusal> {
    let dialect = scene.dialect();
    let no = |why: &str| Err(Refusal::new(format!("{shown} {why}: no recipe carries that over yet")));
    let generated = state
        .columns
        .iter()
        .any(|it| it.generated.as_ref().is_some_and(|it| it.expression.names(old, dialect)));
    if generated || state.column(old).is_some_and(|it| it.generated.is_some()) {
        return no("is generated, or a generated column uses it");
    }
    if state.policies.iter().any(|(_, columns)| columns.contains(old)) {
        return no("is named by a row security policy");
    }
    if state.triggers.iter().any(|it| it.columns.iter().any(|it| it == old)) {
        return no("is named by a trigger's UPDATE OF");
    }
    if state.statistics.iter().any(|(_, columns)| columns.iter().any(|it| it == old)) {
        return no("is in extended statistics");
    }
    if state.partition_by.is_some() || state.partition_of.is_some() || !state.children.is_empty() {
        return no("is in a partitioned or inherited table");
    }
    if state.constraints.iter().any(|it| {
        matches!(it.demand, Demand::Exclude(_)) && crate::catalog::names_column(&it.demand, old, dialect)
    }) {
        return no("is in an exclusion constraint");
    }
    Ok(())
}
