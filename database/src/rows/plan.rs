//! How the rows of one table are made: a source for each column, so that keys, foreign keys and conditions hold.

use crate::catalog::{Catalog, Column, Foreign, Form, Table};
use crate::error::{RehearseError, While};
use crate::session::Session;

use super::solve::{Asked, Solution, all};
use super::values::{Draw, Spread, Texts, literal};
use super::words::{names, replaced};

/// So many rows of a referenced table are left for the rows that clients insert, where each may be referenced once.
pub(crate) const LEFT: u64 = 48;

/// Where the values of a column come from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Source {
    /// Drawn for its type.
    Drawn {
        ty: u32,
        modifier: i32,
        spread: Spread,
        through: Option<String>,
    },
    /// An expression over `lk_row`.
    Expression(String),
    /// One of these values, as SQL.
    Pool(Vec<String>),
    /// A column of a referenced row: which foreign key, and which of its columns.
    Foreign(usize, usize),
    /// The value of another column of the same row.
    Same(i16),
    Null,
}

/// A column with its source.
#[derive(Debug, Clone)]
pub(crate) struct Filled {
    pub number: i16,
    pub name: String,
    pub sql: String,
    pub source: Source,
    /// Every so many rows have no value.
    pub with_nulls: bool,
    pub salt: i64,
}

/// A foreign key that rows are made for.
#[derive(Debug, Clone)]
pub(crate) struct Followed {
    pub table: u32,
    /// The referenced table and columns, quoted.
    pub name: String,
    pub columns: Vec<String>,
    pub rows: u64,
    /// Each referenced row is taken in turn, `every` rows long; else by chance.
    pub every: Option<u64>,
    pub with_nulls: bool,
}

/// The rows of a table.
#[derive(Debug, Clone)]
pub(crate) struct TablePlan {
    pub table: Table,
    pub columns: Vec<Filled>,
    pub followed: Vec<Followed>,
    /// Foreign keys to the table itself, filled when its rows are there.
    pub own: Vec<Foreign>,
    /// What the rows must fulfil, as SQL over the columns' names.
    pub conditions: Vec<String>,
    /// How many rows keys allow.
    pub most: Option<u64>,
    /// What could not be made, in words.
    pub unfilled: Vec<String>,
}

/// What a plan is made from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub catalog: &'a Catalog,
    /// A schema that the rows must be right for too: the one behind the migration.
    pub also: Option<&'a Catalog>,
    pub seed: u64,
    pub texts: Texts,
}

/// The same numbers for the same names, whatever the order.
pub(crate) fn salt(seed: u64, words: &[&str]) -> i64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ seed;
    for byte in words.iter().flat_map(|it| it.bytes().chain([0])) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    // Half of what a bigint holds, so that salts can be counted on.
    i64::try_from(hash >> 2).unwrap_or_default()
}

/// Plans the rows of a table whose parents are filled.
pub(crate) async fn plan(
    session: &mut Session,
    wanted: Wanted<'_>,
    oid: u32,
) -> Result<TablePlan, RehearseError> {
    let table = fitted(wanted, oid);
    let mut plan = TablePlan {
        columns: Vec::new(),
        followed: Vec::new(),
        own: Vec::new(),
        conditions: Vec::new(),
        most: None,
        unfilled: Vec::new(),
        table,
    };
    follow(session, wanted, &mut plan).await?;
    draw(wanted, &mut plan);
    spread(wanted, &mut plan);
    let conditions = conditions(wanted, &plan);
    solve(session, wanted, &mut plan, &conditions).await;
    plan.conditions = conditions.into_iter().map(|(_, it)| it).collect();
    Ok(plan)
}

/// The table with what the schema behind the migration demands of the same columns.
fn fitted(wanted: Wanted<'_>, oid: u32) -> Table {
    let mut table = wanted.catalog.tables[&oid].clone();
    let Some((also, new)) = wanted.also.and_then(|it| Some((it, it.tables.get(&oid)?))) else { return table };
    let known = |numbers: &[i16]| numbers.iter().all(|it| table.column(*it).is_some());
    let keys = new.keys.iter().filter(|it| known(&it.columns) && !table.keys.contains(it)).cloned();
    let keys: Vec<_> = keys.map(|it| crate::catalog::Key { is_primary: false, ..it }).collect();
    let parents =
        |it: &&Foreign| wanted.catalog.tables.contains_key(&it.table) && also.tables.contains_key(&it.table);
    let foreign =
        new.foreign.iter().filter(parents).filter(|it| known(&it.columns) && !table.foreign.contains(it));
    let foreign: Vec<_> = foreign.cloned().collect();
    let renamed = |word: &str| {
        let column = new.columns.iter().find(|it| it.name == word)?;
        Some(table.column(column.number)?.name.clone())
    };
    let mut checks = Vec::new();
    for check in new.checks.iter().filter(|it| known(&it.columns)) {
        let condition = replaced(&check.condition, renamed);
        if !table.checks.iter().any(|it| it.condition == condition) {
            checks.push(crate::catalog::Check { condition, columns: check.columns.clone() });
        }
    }
    for column in &mut table.columns {
        column.required |= new.column(column.number).is_some_and(|it| it.required);
    }
    table.keys.extend(keys);
    table.foreign.extend(foreign);
    table.checks.extend(checks);
    table
}

/// Finds the rows that foreign keys lead to.
async fn follow(
    session: &mut Session,
    wanted: Wanted<'_>,
    plan: &mut TablePlan,
) -> Result<(), RehearseError> {
    let own_root = wanted.catalog.root(plan.table.oid);
    for foreign in plan.table.foreign.clone() {
        if foreign.columns.iter().all(|it| plan.columns.iter().any(|column| column.number == *it)) {
            continue;
        }
        let columns = || foreign.columns.iter().filter_map(|it| plan.table.column(*it).cloned());
        let required = columns().any(|it| it.required);
        if foreign.table == own_root || foreign.table == plan.table.oid {
            // One column without a value is enough for a row to refer to none.
            let mut may_be_set = false;
            for (column, referenced) in columns().collect::<Vec<_>>().iter().zip(&foreign.referenced) {
                may_be_set |= !column.required;
                match column.required {
                    true if column.number == *referenced => {}
                    true => push(wanted, plan, column, Source::Same(*referenced)),
                    false => push(wanted, plan, column, Source::Null),
                }
            }
            plan.own.extend(may_be_set.then_some(foreign));
            continue;
        }
        let Some(parent) = wanted.catalog.tables.get(&foreign.table) else { continue };
        let count = format!("SELECT pg_catalog.count(*) FROM {}", parent.name);
        let rows = session.value(&count).await.while_("counting rows")?.parse::<u64>().unwrap_or_default();
        if rows == 0 {
            if required {
                plan.unfilled
                    .push(format!("{}: {} that it references has no rows", plan.table.name, parent.name));
            }
            for column in columns().collect::<Vec<_>>() {
                push(wanted, plan, &column, Source::Null);
            }
            continue;
        }
        let referenced = foreign.referenced.iter().filter_map(|it| Some(parent.column(*it)?.name.clone()));
        let followed = Followed {
            table: parent.oid,
            name: parent.name.clone(),
            columns: referenced.collect(),
            rows,
            every: None,
            with_nulls: !required,
        };
        plan.followed.push(followed);
        let number = plan.followed.len() - 1;
        for (place, column) in columns().collect::<Vec<_>>().iter().enumerate() {
            push(wanted, plan, column, Source::Foreign(number, place));
        }
    }
    Ok(())
}

/// Takes a source for a column that has none yet.
fn push(wanted: Wanted<'_>, plan: &mut TablePlan, column: &Column, source: Source) {
    if plan.columns.iter().any(|it| it.number == column.number) {
        return;
    }
    let (base, modifier, _) = wanted.catalog.base(column.ty, column.modifier);
    let sql =
        if base == column.ty { column.sql.clone() } else { with_modifier(wanted.catalog, base, modifier) };
    plan.columns.push(Filled {
        number: column.number,
        name: column.name.clone(),
        sql,
        source,
        with_nulls: false,
        salt: salt(wanted.seed, &[&plan.table.name, &column.name]),
    });
}

/// A type with its modifier as SQL, for the base of a domain.
fn with_modifier(catalog: &Catalog, ty: u32, modifier: i32) -> String {
    let Some(known) = catalog.types.get(&ty) else { return "text".to_owned() };
    match known.name.as_str() {
        "varchar" | "bpchar" if modifier > 4 => format!("{}({})", known.sql, modifier - 4),
        "numeric" if modifier > 4 => {
            format!("numeric({},{})", (modifier - 4) >> 16, (modifier - 4) & 0x7ff)
        }
        _ => known.sql.clone(),
    }
}

/// Draws values for the columns that no foreign key fills.
fn draw(wanted: Wanted<'_>, plan: &mut TablePlan) {
    for column in plan.table.columns.clone().iter().filter(|it| !it.is_generated) {
        let source = drawn(wanted, plan.table.oid, column);
        if source.is_none() && column.required && column.default.is_none() {
            plan.unfilled.push(format!(
                "{}.{}: no value is known of type {}",
                plan.table.name, column.name, column.sql
            ));
        }
        // A default that the server has a value for is as good as one of ours.
        if source.is_none() && column.default.is_some() {
            continue;
        }
        push(wanted, plan, column, source.unwrap_or(Source::Null));
    }
}

fn drawn(wanted: Wanted<'_>, table: u32, column: &Column) -> Option<Source> {
    let (ty, modifier, _) = wanted.catalog.base(column.ty, column.modifier);
    let sample = |catalog: &Catalog, ty: u32, modifier: i32| {
        Draw { catalog, row: "lk_row", salt: 0, texts: Texts::Awkward }
            .value(ty, modifier, Spread::Any)
            .is_some()
    };
    let own = sample(wanted.catalog, ty, modifier);
    let new = wanted.also.and_then(|also| Some((also, also.tables.get(&table)?.column(column.number)?)));
    if let Some(labels) = new.and_then(|(also, new)| labels_of_both(wanted.catalog, ty, also, new.ty)) {
        return Some(Source::Pool(labels));
    }
    // What becomes another type has values that it can become.
    if let Some((also, new)) = new.filter(|(_, it)| (it.ty, it.modifier) != (column.ty, column.modifier)) {
        let (new_ty, new_modifier, _) = also.base(new.ty, new.modifier);
        let name = |catalog: &'_ Catalog, ty: u32| {
            catalog.types.get(&ty).map_or(String::new(), |it| it.name.clone())
        };
        // Plain texts are tried as they are: how they become another type may be the migration's own matter.
        let is_tried = wanted.texts == Texts::Awkward;
        let narrower = new_ty == ty && new_modifier > 0 && (modifier < 0 || new_modifier < modifier);
        let becomes =
            narrower || new_ty != ty && is_tried && can_hold(&name(wanted.catalog, ty), &name(also, new_ty));
        if becomes && wanted.catalog.types.contains_key(&new_ty) && sample(also, new_ty, new_modifier) {
            let through = Some(format!("{}::text", new.sql));
            return Some(Source::Drawn { ty: new_ty, modifier: new_modifier, spread: Spread::Any, through });
        }
    }
    own.then_some(Source::Drawn { ty, modifier, spread: Spread::Any, through: None })
}

/// The labels that a column may hold under both schemas, where they are not the same ones.
fn labels_of_both(catalog: &Catalog, ty: u32, also: &Catalog, new: u32) -> Option<Vec<String>> {
    let Form::Enum(after) = &also.types.get(&new)?.form else { return None };
    let known = catalog.types.get(&ty)?;
    let both: Vec<String> = match &known.form {
        Form::Enum(before) if before != after => {
            before.iter().filter(|it| after.contains(it)).map(|it| literal(it)).collect()
        }
        Form::Base if can_hold(&known.name, "") => after.iter().map(|it| literal(it)).collect(),
        _ => return None,
    };
    (!both.is_empty()).then_some(both)
}

/// Whether a type has room for the texts of another one's values.
fn can_hold(name: &str, values: &str) -> bool {
    const WHOLE: &[&str] = &["int2", "int4", "int8"];
    const TIMES: &[&str] = &["date", "timestamp", "timestamptz"];
    let both = |family: &[&str]| family.contains(&name) && family.contains(&values);
    match name {
        "text" | "varchar" | "bpchar" | "citext" => true,
        "numeric" | "float4" | "float8" => {
            WHOLE.contains(&values) || matches!(values, "numeric" | "float4" | "float8")
        }
        // A day has no room for a moment: many would become the same one.
        "date" => false,
        _ => both(WHOLE) || both(TIMES),
    }
}

/// Sees to it that keys hold: one column of each has a value of its own in each row, or what it consists of is counted through.
fn spread(wanted: Wanted<'_>, plan: &mut TablePlan) {
    for column in &mut plan.columns {
        let required = plan.table.column(column.number).is_none_or(|it| it.required);
        column.with_nulls = !required && matches!(column.source, Source::Drawn { .. });
    }
    for key in plan.table.keys.clone() {
        let is_unique = |it: &Filled| matches!(it.source, Source::Drawn { spread: Spread::Unique, .. });
        let is_roomy = |it: &Filled| match &it.source {
            Source::Drawn { ty, modifier, .. } => {
                let draw = Draw { catalog: wanted.catalog, row: "lk_row", salt: 0, texts: Texts::Awkward };
                let value = draw.value(*ty, *modifier, Spread::Unique);
                value.is_some_and(|it| it.distinct.is_none_or(|most| most > 10_000))
            }
            _ => false,
        };
        let members: Vec<usize> =
            (0..plan.columns.len()).filter(|it| key.columns.contains(&plan.columns[*it].number)).collect();
        if members.is_empty() || members.iter().any(|it| is_unique(&plan.columns[*it])) {
            continue;
        }
        // A key of integers reads best when it is the number of the row.
        let roomy = members.iter().find(|it| is_roomy(&plan.columns[**it]));
        if let Some(found) = roomy {
            let column = &mut plan.columns[*found];
            if let Source::Drawn { spread, ty, modifier, .. } = &mut column.source {
                *spread = Spread::Unique;
                let draw = Draw { catalog: wanted.catalog, row: "lk_row", salt: 0, texts: Texts::Awkward };
                let distinct = draw.value(*ty, *modifier, Spread::Unique).and_then(|it| it.distinct);
                plan.most = least(plan.most, distinct);
            }
            column.with_nulls = false;
            continue;
        }
        count_through(wanted, plan, &members);
    }
}

/// A key of references and small types: all combinations in turn.
fn count_through(wanted: Wanted<'_>, plan: &mut TablePlan, members: &[usize]) {
    let mut every = 1_u64;
    for member in members {
        match plan.columns[*member].source.clone() {
            Source::Foreign(number, _) => {
                let followed = &mut plan.followed[number];
                if let Some(already) = followed.every {
                    every = every.max(already.saturating_mul(usable(followed.rows)));
                    continue;
                }
                (followed.every, followed.with_nulls) = (Some(every), false);
                every = every.saturating_mul(usable(followed.rows));
            }
            Source::Drawn { ty, modifier, .. } => {
                let row = format!("(1 + (lk_row - 1) / {every})");
                let draw = Draw {
                    catalog: wanted.catalog,
                    row: &row,
                    salt: plan.columns[*member].salt,
                    texts: wanted.texts,
                };
                let Some(value) = draw.value(ty, modifier, Spread::Unique) else { continue };
                every = every.saturating_mul(value.distinct.unwrap_or(1));
                plan.columns[*member].source = Source::Expression(value.sql);
                plan.columns[*member].with_nulls = false;
            }
            _ => {}
        }
    }
    plan.most = least(plan.most, Some(every));
}

fn least(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    one.into_iter().chain(other).min()
}

/// How many referenced rows are taken where each may be referenced once.
pub(crate) fn usable(rows: u64) -> u64 {
    if rows >= 4 * LEFT { rows - LEFT } else { rows }
}

/// What the rows must fulfil, each with the column that it is about where it is about one.
fn conditions(wanted: Wanted<'_>, plan: &TablePlan) -> Vec<(Option<i16>, String)> {
    let about = |condition: &str| {
        let mut named = plan.table.columns.iter().filter(|it| names(condition, &it.name));
        let first = named.next();
        first.filter(|_| named.next().is_none()).map(|it| it.number)
    };
    let checks = plan.table.checks.iter().map(|it| &it.condition).chain(&plan.table.bound);
    let mut found: Vec<_> = checks.map(|it| (about(it), it.clone())).collect();
    for column in &plan.table.columns {
        let mut checks = wanted.catalog.base(column.ty, column.modifier).2;
        let new = wanted
            .also
            .and_then(|also| Some((also, also.tables.get(&plan.table.oid)?.column(column.number)?)));
        if let Some((also, new)) = new {
            checks.extend(also.base(new.ty, new.modifier).2);
        }
        let over = |word: &str| (word == "VALUE").then(|| column.name.clone());
        found.extend(checks.iter().map(|it| (Some(column.number), replaced(it, over))));
    }
    // Rows are made without what the server computes.
    found.retain(|(_, it)| {
        !plan.table.columns.iter().any(|column| column.is_generated && names(it, &column.name))
    });
    found
}

/// Solves the conditions on single columns that drawn values do not fulfil.
async fn solve(
    session: &mut Session,
    wanted: Wanted<'_>,
    plan: &mut TablePlan,
    conditions: &[(Option<i16>, String)],
) {
    for at in 0..plan.columns.len() {
        let column = plan.columns[at].clone();
        let own = conditions.iter().filter(|(about, _)| *about == Some(column.number));
        let own: Vec<String> = own.map(|(_, it)| it.clone()).collect();
        let Source::Drawn { spread, .. } = column.source else { continue };
        if own.is_empty() {
            continue;
        }
        let asked = Asked { column: &column.name, sql: &column.sql, conditions: &own };
        let value = column.expression(wanted, "lk_row", &[]);
        if asked.is_easy(session, &value).await {
            continue;
        }
        match asked.solve(session).await {
            Some(Solution::Expression(it)) => plan.columns[at].source = Source::Expression(it),
            Some(Solution::Pool(pool)) => {
                if spread == Spread::Unique {
                    plan.most = least(plan.most, u64::try_from(pool.len()).ok());
                }
                plan.columns[at].source = Source::Pool(pool);
            }
            None if !plan.table.column(column.number).is_some_and(|it| it.required) => {
                plan.columns[at].source = Source::Null;
            }
            None => plan.unfilled.push(format!(
                "{}.{}: no value was found that fulfils {}",
                plan.table.name,
                column.name,
                all(&own).replace(" IS NOT FALSE", "")
            )),
        }
    }
}

impl Filled {
    /// The value of a row as SQL. `references` are the columns of the referenced rows, as SQL.
    pub fn expression(&self, wanted: Wanted<'_>, row: &str, references: &[Vec<String>]) -> String {
        let draw = |catalog| Draw { catalog, row, salt: self.salt, texts: wanted.texts };
        let value = match &self.source {
            Source::Drawn { ty, modifier, spread, through } => {
                let catalog =
                    if through.is_some() { wanted.also.unwrap_or(wanted.catalog) } else { wanted.catalog };
                let value =
                    draw(catalog).value(*ty, *modifier, *spread).map_or("NULL".to_owned(), |it| it.sql);
                through.as_ref().map_or(value.clone(), |through| format!("({value})::{through}"))
            }
            Source::Expression(it) => it.replace("lk_row", row),
            Source::Pool(values) => {
                let typed: Vec<String> = values.iter().map(|it| format!("({it})::{}", self.sql)).collect();
                let count = u64::try_from(values.len()).unwrap_or(1);
                format!("(ARRAY[{}])[1 + ({row} - 1) % {count}]", typed.join(", "))
            }
            Source::Foreign(number, place) => references
                .get(*number)
                .and_then(|it| it.get(*place))
                .cloned()
                .unwrap_or_else(|| "NULL".to_owned()),
            Source::Same(_) | Source::Null => "NULL".to_owned(),
        };
        let value = format!("({value})::{}", self.sql);
        if self.with_nulls {
            let turn = draw(wanted.catalog).chance_of(3);
            return format!("CASE WHEN {turn} % 8 = 0 THEN NULL ELSE {value} END");
        }
        value
    }
}

/// Values as an array that SQL takes one of.
pub(crate) fn one_of(values: &[Option<String>], sql: &str, place: &str) -> String {
    let each = values.iter().map(|it| it.as_ref().map_or("NULL".to_owned(), |it| literal(it)));
    format!(
        "((ARRAY[{}]::text[])[1 + ({place}) % {}])::{sql}",
        each.collect::<Vec<_>>().join(", "),
        values.len().max(1)
    )
}
