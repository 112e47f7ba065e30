//! The steps without clients, so that schema and rows can be compared: up, all the way back, and up again.

use lockkeeper_core::report::RehearsalDifference;

use crate::beside::Done;
use crate::catalog::Catalog;
use crate::cluster::Cluster;
use crate::compare::{difference, row_differences, rows, schema};
use crate::error::{RehearseError, While};
use crate::people;
use crate::request::{Progress, Request, Rewritten};
use crate::script::Script;
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
    /// Whether the way back ended in other rows than those of the start.
    has_lost: bool,
}

/// Carries out what a migration was rewritten as, and compares.
pub(crate) async fn run(
    cluster: &Cluster,
    request: &Request,
    rewritten: &Rewritten,
    stage: &Stage,
    progress: Progress<'_>,
) -> Result<Compared, RehearseError> {
    let of = (request, stage);
    cluster.create(QUIET, Some(FILLED)).await?;
    let mut compared = Compared::default();
    progress("carries the steps out without clients, and compares");
    if !up(cluster, rewritten, stage, "up", &mut compared).await? {
        return Ok(compared);
    }
    // These steps were measured beside clients; here they only lead to the end.
    compared.steps.clear();
    compare(cluster, of, WRITTEN, "end", &mut compared).await?;
    progress("goes back, step by step");
    if !down(cluster, rewritten, stage, &mut compared).await? {
        return Ok(compared);
    }
    compare(cluster, of, FILLED, "back", &mut compared).await?;
    progress("goes up again");
    if up(cluster, rewritten, stage, "up again", &mut compared).await? {
        compare(cluster, of, WRITTEN, "again", &mut compared).await?;
    }
    Ok(compared)
}

async fn up(
    cluster: &Cluster,
    rewritten: &Rewritten,
    stage: &Stage,
    direction: &'static str,
    compared: &mut Compared,
) -> Result<bool, RehearseError> {
    for step in &rewritten.steps {
        people::prepare(cluster, QUIET, stage, step).await?;
        let measured = carry(cluster, QUIET, &step.up).await?;
        let failed = measured.result.is_err();
        compared.steps.push(Done { step: step.clone(), direction, releases: Vec::new(), measured });
        if failed {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn down(
    cluster: &Cluster,
    rewritten: &Rewritten,
    stage: &Stage,
    compared: &mut Compared,
) -> Result<bool, RehearseError> {
    let gone = gone(stage);
    for (number, step) in rewritten.steps.iter().enumerate().rev() {
        if step.down.is_empty() {
            compared.notes.push(format!(
                "step {} ({}) has no way back: the way back was not rehearsed",
                number + 1,
                step.path
            ));
            return Ok(false);
        }
        let restored = people::restore(cluster, QUIET, stage, &gone).await?;
        compared.notes.extend(restored);
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
    (request, stage): (&Request, &Stage),
    expected: &str,
    after: &str,
    compared: &mut Compared,
) -> Result<(), RehearseError> {
    let (mut one, mut other) = (open(cluster, expected).await?, open(cluster, QUIET).await?);
    let (was_lost, mut lost) = (compared.has_lost, false);
    let mut say = |kind: &str, what: String, excuse: Option<&str>| match excuse {
        Some(reason) => compared.notes.push(format!("{what} ({reason})")),
        None => {
            let (after, kind) = (after.to_owned(), kind.to_owned());
            compared.differences.push(RehearsalDifference { after, kind, what });
        }
    };
    let gone = gone(stage);
    let is_gone = |line: &str| {
        after == "back" && gone.iter().any(|it| line[2..].starts_with(&format!("column {it} |")))
    };
    for line in difference(&schema(&mut one).await?, &schema(&mut other).await?) {
        let excuse = is_gone(&line).then_some(GONE);
        say("schema", line, excuse);
    }
    let catalogs = (catalog(cluster, expected).await?, catalog(cluster, QUIET).await?);
    if !stage.compares_rows && expected == WRITTEN {
        return Ok(());
    }
    let differing = differing(&mut one, &mut other, &catalogs).await?;
    let excused = match (differing.is_empty(), after) {
        (true, _) => Vec::new(),
        (_, "back") => not_brought_back(cluster, request).await?,
        _ => by_chance(cluster, request).await?,
    };
    for (table, column, what) in differing {
        let full = column.as_ref().map_or(table.clone(), |it| format!("{table}.{it}"));
        let excuse = match after {
            "back" if gone.contains(&full) => Some(GONE),
            "back" if excused.contains(&full) => {
                Some("the migration's own way back does not bring it either")
            }
            "again" if was_lost => Some("the way back had lost rows or values"),
            _ if excused.contains(&full) || is_drawn(stage, &table, &column) => {
                Some("it differs each time that the migration runs")
            }
            _ => None,
        };
        lost |= after == "back";
        say("rows", what, excuse);
    }
    compared.has_lost |= lost;
    Ok(())
}

/// What no way back can bring.
const GONE: &str = "the migration takes it away";

/// A table, the column where it is about one, and what differs in words.
type Differing = (String, Option<String>, String);

async fn differing(
    one: &mut Session,
    other: &mut Session,
    (expected, found): &(Catalog, Catalog),
) -> Result<Vec<Differing>, RehearseError> {
    let mut all = Vec::new();
    for table in expected.tables.values().filter(|it| it.parent.is_none()) {
        let rows = (rows(one, expected, &table.name).await?, rows(other, found, &table.name).await?);
        let (Some(expected), Some(found)) = rows else { continue };
        let differences = row_differences(&table.name, &expected, &found).into_iter();
        all.extend(differences.map(|(column, what)| (table.name.clone(), column, what)));
    }
    Ok(all)
}

/// The columns that differ when the migration as it is written runs once more.
async fn by_chance(cluster: &Cluster, request: &Request) -> Result<Vec<String>, RehearseError> {
    on_a_copy(cluster, FILLED, &request.written.up, WRITTEN).await
}

/// What differs from the start when the migration's own way back has run; where it has none, what it changes.
async fn not_brought_back(cluster: &Cluster, request: &Request) -> Result<Vec<String>, RehearseError> {
    on_a_copy(cluster, WRITTEN, &request.written.down, FILLED).await
}

/// The tables and columns whose rows differ from those that are expected, when scripts have run on a copy.
async fn on_a_copy(
    cluster: &Cluster,
    start: &str,
    scripts: &[Script],
    expected: &str,
) -> Result<Vec<String>, RehearseError> {
    const COPY: &str = "copy";
    cluster.create(COPY, Some(start)).await?;
    carry(cluster, COPY, scripts).await?;
    let catalogs = (catalog(cluster, expected).await?, catalog(cluster, COPY).await?);
    let (mut one, mut other) = (open(cluster, expected).await?, open(cluster, COPY).await?);
    let differing = differing(&mut one, &mut other, &catalogs).await?;
    drop(other);
    cluster.drop_database(COPY).await?;
    let full = |(table, column, _): Differing| column.map_or(table.clone(), |it| format!("{table}.{it}"));
    Ok(differing.into_iter().map(full).collect())
}

/// Whether a column has a default that is drawn anew each time: a trigger or a backfill may have set it again.
fn is_drawn(stage: &Stage, table: &str, column: &Option<String>) -> bool {
    const DRAWN: &[&str] = &[
        "now()",
        "CURRENT_",
        "LOCALTIME",
        "clock_timestamp",
        "random()",
        "uuid",
        "nextval(",
        "_timestamp()",
    ];
    let of = |catalog: &Catalog| {
        let columns = &catalog.named(table)?.columns;
        columns.iter().find(|it| Some(&it.name) == column.as_ref())?.default.clone()
    };
    let default = of(&stage.new).or_else(|| of(&stage.old));
    default.is_some_and(|it| DRAWN.iter().any(|word| it.contains(word)))
}

/// The columns that the migration takes away, each with its table, and the tables.
fn gone(stage: &Stage) -> Vec<String> {
    let mut found = Vec::new();
    for old in stage.old.tables.values() {
        let new = stage.new.tables.get(&old.oid);
        let is_gone = |number: i16| new.is_none_or(|it| it.column(number).is_none());
        let columns = old.columns.iter().filter(|it| is_gone(it.number));
        found.extend(columns.map(|it| format!("{}.{}", old.name, it.name)));
        found.extend(new.is_none().then(|| old.name.clone()));
    }
    found
}

async fn open(cluster: &Cluster, database: &str) -> Result<Session, RehearseError> {
    Session::open(&cluster.owner(database)).await.while_("connecting")
}

async fn catalog(cluster: &Cluster, database: &str) -> Result<Catalog, RehearseError> {
    Catalog::read(&mut cluster.admin(database).await?).await
}
