//! What people do between steps: where a migration demands values that nobody but the application knows, they give old rows theirs.

use crate::catalog::{Catalog, Column, Table};
use crate::cluster::Cluster;
use crate::error::{RehearseError, While};
use crate::rows::plan::{Filled, Source, TablePlan, Wanted, plan};
use crate::script::Step;
use crate::session::Session;
use crate::stage::Stage;

/// How often rows are looked for that are still without a value.
const TURNS: usize = 10;

/// Does what a plan asks of people before a step, and says it.
pub(crate) async fn prepare(
    cluster: &Cluster,
    database: &str,
    stage: &Stage,
    step: &Step,
) -> Result<Vec<String>, RehearseError> {
    // Where the migration as it is written ends with rows, every value comes from it.
    if stage.compares_rows || step.before.is_empty() {
        return Ok(Vec::new());
    }
    let given = give_missing(cluster, database, stage, &stage.new, |_| true).await?;
    Ok(given.iter().map(|it| format!("rows without a value in {it} got one before {}", step.path)).collect())
}

/// Restores, as people do from a backup, what the migration took away and the old schema demands. The values are others, and nobody compares them.
pub(crate) async fn restore(
    cluster: &Cluster,
    database: &str,
    stage: &Stage,
    gone: &[String],
) -> Result<Vec<String>, RehearseError> {
    let taken = |name: &str| gone.iter().any(|it| it == name);
    let given = give_missing(cluster, database, stage, &stage.old, taken).await?;
    Ok(given.iter().map(|it| format!("the values of {it} came back as from a backup")).collect())
}

/// Gives each row a value in the columns that a schema requires; those where some had none.
async fn give_missing(
    cluster: &Cluster,
    database: &str,
    stage: &Stage,
    schema: &Catalog,
    is_asked: impl Fn(&str) -> bool,
) -> Result<Vec<String>, RehearseError> {
    let now = Catalog::read(&mut cluster.admin(database).await?).await?;
    let mut session = Session::open(&cluster.owner(database)).await.while_("connecting")?;
    let mut given = Vec::new();
    for table in now.tables.values().filter(|it| !it.is_partitioned) {
        for column in required(schema, &now, table) {
            let name = format!("{}.{}", table.name, column.name);
            let missing =
                format!("SELECT pg_catalog.count(*) FROM {} WHERE {} IS NULL", table.name, column.name);
            if !is_asked(&name) || session.value(&missing).await.while_("counting rows")? == "0" {
                continue;
            }
            let wanted = stage.wanted(&now, schema);
            let plan = plan(&mut session, wanted, table.oid).await?;
            let Some(statement) = give(wanted, &plan, column) else { continue };
            // A row that a client changes meanwhile is passed by. A value that the table does not take is said by the step that fails for
            // want of it.
            for _ in 0..TURNS {
                if session.run(&statement).await.is_err()
                    || session.value(&missing).await.is_ok_and(|it| it == "0")
                {
                    break;
                }
            }
            given.push(name);
        }
    }
    Ok(given)
}

/// Gives the rows that have no value in a column one.
fn give(wanted: Wanted<'_>, plan: &TablePlan, column: &Column) -> Option<String> {
    let filled = plan.columns.iter().find(|it| it.number == column.number)?;
    let value = match filled.source {
        Source::Foreign(parent, place) => {
            let followed = &plan.followed[parent];
            let referenced = &followed.columns[place];
            format!("(SELECT {referenced} FROM {} ORDER BY {referenced} LIMIT 1)", followed.name)
        }
        _ => Filled { with_nulls: false, ..filled.clone() }.expression(wanted, "lk.lk_row", &[]),
    };
    let (table, name) = (&plan.table.name, &column.name);
    Some(format!(
        "UPDATE {table} AS t SET {name} = {value} \
         FROM (SELECT ctid AS place, pg_catalog.row_number() OVER () AS lk_row FROM {table} WHERE {name} IS NULL) AS lk \
         WHERE t.ctid = lk.place"
    ))
}

/// The columns of a table that may be without a value now, and not in a schema.
fn required<'a>(schema: &Catalog, now: &Catalog, table: &'a Table) -> Vec<&'a Column> {
    let root = now.tables.get(&now.root(table.oid)).map_or(&table.name, |it| &it.name);
    let other = schema.named(root);
    let required: Vec<&String> =
        other.iter().flat_map(|it| &it.columns).filter(|it| it.required).map(|it| &it.name).collect();
    let columns = table.columns.iter().filter(|it| !it.required && !it.is_generated);
    columns.filter(|it| required.contains(&&it.name)).collect()
}
