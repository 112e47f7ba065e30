//! Generated columns: what the server refuses of them (measured on 12, 15, 17, 18 and 19; virtual ones are there from 18 on).

use super::draft::Draft;
use crate::catalog::{Catalog, RelationName, Table};
use crate::dialect::{Ident, LockMode};
use crate::operation::{
    Column, Constraint, ConstraintKind, CreateIndex, CreateStatistics, CreateTable, CreateTrigger,
    Expression, Generated, Insert, TypeName, Update,
};

/// Another column of the table: its type, and whether it is generated.
type Known<'k> = dyn Fn(&str) -> Option<(TypeName, bool)> + 'k;

/// The expression of a column of a known table.
fn of<'a>(draft: &Draft<'a>, relation: &RelationName, column: &str) -> Option<&'a Generated> {
    let certain = draft.relation(relation).is_some_and(|it| !it.uncertain);
    draft.table(relation).filter(|_| certain)?.column(column)?.generated.as_ref()
}

fn is_virtual(draft: &Draft<'_>, relation: &RelationName, column: &str) -> bool {
    of(draft, relation, column).is_some_and(|it| !it.stored)
}

/// The first generated column of a table that an expression names.
fn named<'a>(
    draft: &Draft<'a>,
    relation: &RelationName,
    expression: &Expression,
    only_virtual: bool,
) -> Option<&'a str> {
    let certain = draft.relation(relation).is_some_and(|it| !it.uncertain);
    let columns = draft.table(relation).filter(|_| certain)?.columns.iter();
    let mut generated =
        columns.filter(|it| it.generated.as_ref().is_some_and(|it| !it.stored || !only_virtual));
    let found = generated.find(|it| expression.names(&it.name, draft.catalog.dialect()))?;
    Some(&found.name)
}

/// A column that is added to a table.
pub(super) fn added(draft: &mut Draft<'_>, table: Option<&Table>, column: &Column) {
    let known = |name: &str| {
        let own = (column.name.name == name).then(|| (column.ty.clone(), true));
        own.or_else(|| table?.column(name).map(|it| (it.ty.clone(), it.generated.is_some())))
    };
    if let Some(reason) = new(draft.catalog, column, &known) {
        draft.fail(reason);
    }
    for constraint in &column.constraints {
        let names = |name: &str| (column.name.name == name).then(|| column.generated.clone()).flatten();
        if let Some(reason) = constrained(constraint, &names) {
            draft.fail(reason);
        }
    }
}

/// The columns of a new table, its constraints and its partition key.
pub(super) fn new_table(draft: &mut Draft<'_>, create: &CreateTable) {
    let find = |name: &str| create.columns.iter().find(|it| it.name.name == name);
    let known = |name: &str| find(name).map(|it| (it.ty.clone(), it.generated.is_some()));
    for column in &create.columns {
        if let Some(reason) = new(draft.catalog, column, &known) {
            draft.fail(reason);
        }
    }
    let generated = |name: &str| find(name).and_then(|it| it.generated.clone());
    let of_columns = create.columns.iter().flat_map(|it| &it.constraints);
    for constraint in create.constraints.iter().chain(of_columns) {
        if let Some(reason) = constrained(constraint, &generated) {
            draft.fail(reason);
        }
    }
    let in_key = create.partition_by.iter().flat_map(|it| &it.columns).find(|it| generated(it).is_some());
    if let Some(column) = in_key {
        draft.fail(format!("{column} is generated, and no partition key can hold it"));
    }
}

/// Why a column cannot be generated so.
fn new(catalog: &Catalog, column: &Column, known: &Known<'_>) -> Option<String> {
    let generated = column.generated.as_ref()?;
    let name = &column.name;
    if column.default.is_some() || column.ty.serial || column.identity.is_some() {
        return Some(format!("{name} is generated, and can have neither a default nor an identity"));
    }
    let mut columns: Vec<(String, TypeName, bool)> = Vec::new();
    generated.expression.each_column(catalog.dialect(), |it| {
        if let Some((ty, generated)) = known(&it.name.name) {
            columns.push((it.name.name.clone(), ty, generated));
        }
    });
    if let Some((other, ..)) = columns.iter().find(|(.., generated)| *generated) {
        return Some(format!("{name} is computed from {other}, which is generated itself"));
    }
    if generated.stored {
        return None;
    }
    if catalog.user_type(&column.ty).is_some() {
        return Some(format!(
            "{name} is virtual, and cannot have {}, a type that a migration made",
            column.ty
        ));
    }
    if let Some((other, ty, _)) = columns.iter().find(|(_, ty, _)| catalog.user_type(ty).is_some()) {
        return Some(format!("{name} is virtual, and {other} has {ty}, a type that a migration made"));
    }
    let functions = generated.expression.functions(catalog.dialect());
    let made = functions.into_iter().find(|it| catalog.routine(it).is_some() && !is_servers_too(it));
    made.map(|it| format!("{name} is virtual, and {it}() is a function that a migration made"))
}

/// Whether the server has a function of that name that everybody calls.
fn is_servers_too(function: &str) -> bool {
    super::builtin::is_known(function)
}

/// Why a constraint cannot be on generated columns.
fn constrained(constraint: &Constraint, generated: &dyn Fn(&str) -> Option<Generated>) -> Option<String> {
    let find = |columns: &[Ident], only_virtual: bool| {
        let is_one = |it: &&Ident| generated(&it.name).is_some_and(|it| !it.stored || !only_virtual);
        columns.iter().find(is_one).map(|it| it.name.clone())
    };
    let what = match &constraint.kind {
        ConstraintKind::Unique { columns, .. } => (find(columns, true)?, "a unique constraint"),
        ConstraintKind::PrimaryKey { columns, .. } => (find(columns, true)?, "a primary key"),
        ConstraintKind::Exclude { columns } => (find(columns, true)?, "an exclusion constraint"),
        ConstraintKind::ForeignKey(key) => match find(&key.columns, true) {
            Some(column) => (column, "a foreign key"),
            None => {
                let column = find(&key.columns, false).filter(|_| sets_values(&key.actions))?;
                return Some(format!("the key would change {column}, which is generated"));
            }
        },
        _ => return None,
    };
    Some(format!("{} is a virtual column, and {} cannot be on it", what.0, what.1))
}

/// Whether a foreign key writes the columns on its own side.
fn sets_values(actions: &str) -> bool {
    let words: Vec<String> = actions.split_whitespace().map(str::to_lowercase).collect();
    let on = |event: &str, action: &str| {
        words.windows(3).any(|it| it[0] == "on" && it[1] == event && it[2] == action)
    };
    on("delete", "set") || on("update", "set") || on("update", "cascade")
}

pub(super) fn constraint(draft: &mut Draft<'_>, relation: &RelationName, constraint: &Constraint) {
    let generated = |name: &str| of(draft, relation, name).cloned();
    if let Some(reason) = constrained(constraint, &generated) {
        draft.fail(reason);
    }
}

pub(super) fn index(draft: &mut Draft<'_>, relation: &RelationName, create: &CreateIndex) {
    let plain = create.keys.iter().filter_map(|it| it.column.as_ref()).chain(&create.include);
    let plain = plain.map(|it| it.name.as_str()).find(|it| is_virtual(draft, relation, it));
    let computed = create.keys.iter().filter(|it| it.column.is_none()).map(|it| &it.text);
    let mut computed = computed.chain(&create.predicate);
    let found = plain.or_else(|| computed.find_map(|it| named(draft, relation, it, true)));
    if let Some(column) = found.map(str::to_owned) {
        draft.fail(format!("{column} is a virtual column, and no index can hold it"));
    }
}

pub(super) fn statistics(draft: &mut Draft<'_>, relation: &RelationName, create: &CreateStatistics) {
    let plain = create.columns.iter().find(|it| is_virtual(draft, relation, it)).map(String::as_str);
    let found = plain.or_else(|| named(draft, relation, &create.definition, true));
    if let Some(column) = found.map(str::to_owned).filter(|_| !draft.since(19)) {
        draft.fail(format!("{column} is a virtual column: statistics on it need PostgreSQL 19"));
    }
}

/// Rows that give a generated column a value.
pub(super) fn insert(draft: &mut Draft<'_>, relation: &RelationName, insert: &Insert) {
    let given = insert.columns.iter().find(|it| of(draft, relation, &it.name).is_some());
    if let Some(column) = given.filter(|_| !insert.defaults) {
        draft.fail(format!("{column} is generated, and takes no value but DEFAULT"));
    }
}

pub(super) fn update(draft: &mut Draft<'_>, relation: &RelationName, update: &Update) {
    let is_default = |it: &Expression| it.text.trim().eq_ignore_ascii_case("default");
    let mut given = update.set.iter().flatten().filter(|(_, value)| !is_default(value));
    if let Some((column, _)) = given.find(|(column, _)| of(draft, relation, &column.name).is_some()) {
        draft.fail(format!("{column} is generated, and takes no value but DEFAULT"));
    }
}

pub(super) fn trigger(draft: &mut Draft<'_>, relation: &RelationName, create: &CreateTrigger) {
    if create.timing != "before" || !create.for_each_row {
        return;
    }
    let mut found = None;
    create.action.each_column(draft.catalog.dialect(), |it| {
        let of_new = it.qualifier.as_ref().is_some_and(|it| it.name == "new");
        if of_new && of(draft, relation, &it.name.name).is_some() {
            found.get_or_insert(it.name.name);
        }
    });
    if let Some(column) = found {
        draft.fail(format!("{column} is generated, and has no new value yet when a BEFORE trigger fires"));
    }
}

/// SET DEFAULT and DROP DEFAULT.
pub(super) fn default(draft: &mut Draft<'_>, relation: &RelationName, column: &Ident) {
    if of(draft, relation, &column.name).is_some() {
        draft.fail(format!("{column} is generated, and has no default"));
    }
}

pub(super) fn set_statistics(draft: &mut Draft<'_>, relation: &RelationName, column: Option<&Ident>) {
    if let Some(column) = column.filter(|it| is_virtual(draft, relation, &it.name)) {
        draft.fail(format!("{column} is a virtual column, of which no statistics are kept"));
    }
}

/// Whether the column is certainly there and not generated.
fn is_plain(draft: &Draft<'_>, relation: &RelationName, column: &str) -> bool {
    let certain = draft.relation(relation).is_some_and(|it| !it.uncertain);
    let state = draft.table(relation).filter(|it| certain && !it.guessed).and_then(|it| it.column(column));
    state.is_some_and(|it| it.generated.is_none())
}

pub(super) fn drop_expression(
    draft: &mut Draft<'_>,
    relation: &RelationName,
    column: &Ident,
    if_exists: bool,
) {
    draft.needs(13, "DROP EXPRESSION");
    if is_plain(draft, relation, &column.name) && !if_exists {
        draft.fail(format!("{column} is not generated"));
    }
    if is_virtual(draft, relation, &column.name) {
        draft.fail(format!("{column} is a virtual column: it has no values that could stay"));
    }
    draft.lock_tree(relation, LockMode::AccessExclusive);
}

/// A stored column is rewritten. Of a virtual one the constraints on it are checked again, from 19 on; 18 refuses it where the table has a check.
pub(super) fn set_expression(draft: &mut Draft<'_>, relation: &RelationName, column: &Ident) {
    draft.needs(17, "SET EXPRESSION");
    if is_plain(draft, relation, &column.name) {
        draft.fail(format!("{column} is not generated"));
    }
    draft.lock_tree(relation, LockMode::AccessExclusive);
    if !is_virtual(draft, relation, &column.name) {
        return draft.rewrite_tree(relation);
    }
    let Some(table) = draft.table(relation) else { return };
    let checks = || {
        table.constraints.iter().filter_map(|it| match &it.demand {
            crate::catalog::Demand::Check(check) if it.enforced => Some(check),
            _ => None,
        })
    };
    if !draft.since(19) && checks().next().is_some() {
        draft.fail(format!("{column} is a virtual column, and 18 changes none of a table with a check"));
    }
    let not_null = table.column(&column.name).is_some_and(|it| it.not_null);
    if not_null || checks().any(|it| it.names(&column.name, draft.catalog.dialect())) {
        draft.scan_tree(relation);
    }
}
