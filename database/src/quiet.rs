//! The steps without clients, so that schema and rows can be compared: up, all the way back, and up again.

use lockkeeper_core::report::RehearsalDifference;

use crate::beside::Done;
use crate::catalog::Catalog;
use crate::cluster::Cluster;
use crate::compare::{difference, row_differences, rows, schema};
use crate::error::{RehearseError, While};
use crate::request::{Progress, Rewritten};
use crate::session::Session;
use crate::stage::{FILLED, Stage, WRITTEN};
use crate::step::carry;

const QUIET: &str = "quiet";

/// What differs, the steps as they were carried out, and what must be known.
#[derive(Debug, Default)]
pub(crate) struct Compared {
    pub differences: Vec<RehearsalDifference>,
    pub steps: Vec<Done>,
    pub notes: Vec<String>,
}

/// Carries out what a migration was rewritten as, and compares.
pub(crate) async fn run(
    cluster: &Cluster,
    rewritten: &Rewritten,
    stage: &Stage,
    progress: Progress<'_>,
) -> Result<Compared, RehearseError> {
    cluster.create(QUIET, Some(FILLED)).await?;
    let mut compared = Compared::default();
    progress("carries the steps out without clients, and compares");
    if !up(cluster, rewritten, "up", &mut compared).await? {
        return Ok(compared);
    }
    // These steps were measured beside clients; here they only lead to the end.
    compared.steps.clear();
    compare(cluster, stage, WRITTEN, "end", &mut compared).await?;
    progress("goes back, step by step");
    if !down(cluster, rewritten, &mut compared).await? {
        return Ok(compared);
    }
    compare(cluster, stage, FILLED, "back", &mut compared).await?;
    progress("goes up again");
    if up(cluster, rewritten, "up again", &mut compared).await? {
        compare(cluster, stage, WRITTEN, "again", &mut compared).await?;
    }
    Ok(compared)
}

async fn up(
    cluster: &Cluster,
    rewritten: &Rewritten,
    direction: &'static str,
    compared: &mut Compared,
) -> Result<bool, RehearseError> {
    for step in &rewritten.steps {
        let measured = carry(cluster, QUIET, &step.up).await?;
        let failed = measured.result.is_err();
        compared.steps.push(Done { step: step.clone(), direction, releases: Vec::new(), measured });
        if failed {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn down(cluster: &Cluster, rewritten: &Rewritten, compared: &mut Compared) -> Result<bool, RehearseError> {
    for (number, step) in rewritten.steps.iter().enumerate().rev() {
        if step.down.is_empty() {
            compared.notes.push(format!(
                "step {} ({}) has no way back: the way back was not rehearsed",
                number + 1,
                step.path
            ));
            return Ok(false);
        }
        let measured = carry(cluster, QUIET, &step.down).await?;
        let failed = measured.result.is_err();
        compared.steps.push(Done { step: step.clone(), direction: "down", releases: Vec::new(), measured });
        if failed {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Compares with a database that shows what is expected.
async fn compare(
    cluster: &Cluster,
    stage: &Stage,
    expected: &str,
    after: &str,
    compared: &mut Compared,
) -> Result<(), RehearseError> {
    let open = async |database: &str| Session::open(&cluster.owner(database)).await.while_("connecting");
    let (mut one, mut other) = (open(expected).await?, open(QUIET).await?);
    let say = |kind: &str, what: String| RehearsalDifference { after: after.to_owned(), kind: kind.to_owned(), what };
    let lines = difference(&schema(&mut one).await?, &schema(&mut other).await?);
    compared.differences.extend(lines.into_iter().map(|it| say("schema", it)));
    let catalogs = (catalog(cluster, expected).await?, catalog(cluster, QUIET).await?);
    for table in catalogs.0.tables.values().filter(|it| it.parent.is_none()) {
        let expected = rows(&mut one, &catalogs.0, &table.name).await?;
        let found = rows(&mut other, &catalogs.1, &table.name).await?;
        let Some((expected, found)) = expected.zip(found) else { continue };
        for (column, what) in row_differences(&table.name, &expected, &found) {
            match column.and_then(|it| excuse(stage, &table.name, &it, after)) {
                Some(reason) => compared.notes.push(format!("{what} ({reason})")),
                None => compared.differences.push(say("rows", what)),
            }
        }
    }
    Ok(())
}

async fn catalog(cluster: &Cluster, database: &str) -> Result<Catalog, RehearseError> {
    Catalog::read(&mut cluster.admin(database).await?).await
}

/// Why the values of a column may differ.
fn excuse(stage: &Stage, table: &str, column: &str, after: &str) -> Option<String> {
    const DRAWN: &[&str] =
        &["now()", "CURRENT_", "LOCALTIME", "clock_timestamp", "random()", "uuid", "nextval(", "_timestamp()"];
    let of = |catalog: &Catalog| {
        let table = catalog.named(table)?;
        table.columns.iter().find(|it| it.name == column).cloned()
    };
    let default = of(&stage.new).or_else(|| of(&stage.old)).and_then(|it| it.default);
    if default.is_some_and(|it| DRAWN.iter().any(|word| it.contains(word))) {
        return Some("its default differs each time".to_owned());
    }
    // What the migration takes away no way back can bring.
    let gone = after == "back" && of(&stage.new).is_none();
    gone.then(|| "the migration takes the column away".to_owned())
}
