//! The databases of a rehearsal: the history carried out, what the migration touches, and rows for that.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Catalog, Table};
use crate::cluster::Cluster;
use crate::error::{RehearseError, While};
use crate::request::{Progress, Request};
use crate::rows::fill::{Filling, fill};
use crate::rows::plan::Wanted;
use crate::rows::values::Texts;
use crate::script::{Broken, Carried, Script, carry_out, explore};
use crate::session::Session;
use crate::traffic::statements::{Made, Release, release, release_for};

/// The history and nothing else.
const HISTORY: &str = "history";
/// The history with rows: what everything that is compared begins with.
pub(crate) const FILLED: &str = "filled";
/// The same behind the migration as it is written, without clients.
pub(crate) const WRITTEN: &str = "written";

/// What is known before the first step.
#[derive(Debug)]
pub(crate) struct Stage {
    pub old: Catalog,
    pub new: Catalog,
    pub rows: BTreeMap<String, u64>,
    pub unfilled: Vec<String>,
    pub notes: Vec<String>,
    pub running: Release,
    pub next: Release,
    /// Whether the database behind the migration has rows that can be compared.
    pub compares_rows: bool,
    /// The tables that the next release uses.
    after: BTreeSet<u32>,
    texts: Texts,
    table_texts: BTreeMap<u32, Texts>,
    seed: u64,
}

impl Stage {
    /// What rows are made from in a schema on the way to another.
    pub fn wanted<'a>(&self, now: &'a Catalog, also: &'a Catalog) -> Wanted<'a> {
        Wanted { catalog: now, also: Some(also), seed: self.seed, texts: self.texts }
    }

    /// The next release as it finds the rows of a database; as it was derived where that has not its schema yet.
    pub async fn next_for(&self, cluster: &Cluster, database: &str) -> Result<Release, RehearseError> {
        let mut session = Session::open(&cluster.owner(database)).await.while_("connecting")?;
        let wanted = Wanted { catalog: &self.new, also: Some(&self.old), seed: self.seed, texts: self.texts };
        let made = Made { wanted, texts: &self.table_texts };
        let found = release_for(&mut session, made, &self.next, &self.after).await;
        Ok(found.unwrap_or_else(|_| self.next.clone()))
    }
}

/// Makes the databases `filled` and `written`.
pub(crate) async fn set(
    cluster: &Cluster,
    request: &Request,
    progress: Progress<'_>,
) -> Result<Stage, RehearseError> {
    let mut notes = history(cluster, request, progress).await?;
    progress("finds what the migration touches");
    let old = catalog(cluster, HISTORY).await?;
    let (touched, new) = touched(cluster, request, &old).await?;
    let seed = request.options.seed;
    let Rows { filling, texts, compared } =
        rows_that_it_takes(cluster, request, (&old, &new), &touched, &mut notes, progress).await?;
    progress("derives what the releases do");
    let mut unfilled = filling.unfilled;
    let mut session = Session::open(&cluster.owner(FILLED)).await.while_("connecting")?;
    let wanted = Wanted { catalog: &old, also: Some(&new), seed, texts };
    let made = Made { wanted, texts: &filling.texts };
    let running = release(&mut session, made, "running release", &touched.changed, &mut unfilled).await?;
    let mut session = Session::open(&cluster.owner(WRITTEN)).await.while_("connecting")?;
    let mut after = touched.changed.clone();
    after.extend(new.tables.keys().filter(|it| !old.tables.contains_key(it)).map(|it| new.root(*it)));
    let made = Made { wanted: Wanted { catalog: &new, also: Some(&old), ..wanted }, ..made };
    let next = release(&mut session, made, "next release", &after, &mut unfilled).await?;
    let (rows, table_texts) = (filling.rows, filling.texts);
    Ok(Stage {
        rows,
        unfilled,
        notes,
        running,
        next,
        old,
        new,
        compares_rows: compared,
        after,
        texts,
        table_texts,
        seed,
    })
}

/// The rows that a migration takes.
struct Rows {
    filling: Filling,
    texts: Texts,
    /// Whether the migration went through on them, so that its end can be compared.
    compared: bool,
}

/// Fills the database, and carries the migration out on a copy. Where it does not take rows that the old schema allows, it gets others: such
/// that both schemas allow, and then with plainer texts.
async fn rows_that_it_takes(
    cluster: &Cluster,
    request: &Request,
    (old, new): (&Catalog, &Catalog),
    touched: &Touched,
    notes: &mut Vec<String>,
    progress: Progress<'_>,
) -> Result<Rows, RehearseError> {
    let seed = request.options.seed;
    let fitted = Texts::ALL.map(|texts| (Some(new), texts));
    let mut failure = None;
    for (also, texts) in std::iter::once((None, Texts::Awkward)).chain(fitted) {
        if failure.is_some() {
            cluster.drop_database(WRITTEN).await?;
            cluster.drop_database(FILLED).await?;
        }
        let wanted = Wanted { catalog: old, also, seed, texts };
        let filling = filled(cluster, wanted, &touched.filled, request, progress).await?;
        let Err(broken) = written(cluster, request, progress).await? else {
            notes.extend(failure.map(|it: Broken| {
                format!(
                    "on rows that the old schema allows the migration fails at {}:{}: {}. It was rehearsed with rows that both schemas allow",
                    it.path, it.line, it.failure
                )
            }));
            return Ok(Rows { filling, texts, compared: true });
        };
        // Without rows it went through.
        failure = failure.or(Some(broken));
    }
    let broken = failure.expect("every set of rows failed");
    if request.rewritten.is_some() {
        notes.push(format!(
            "as it is written the migration fails on any rows at {}:{}: {}. What it is rewritten as was compared with the schema only, not with rows",
            broken.path, broken.line, broken.failure
        ));
    }
    written_without_rows(cluster, request, new, touched).await?;
    let wanted = Wanted { catalog: old, also: Some(new), seed, texts: Texts::Awkward };
    cluster.drop_database(FILLED).await?;
    let filling = filled(cluster, wanted, &touched.filled, request, progress).await?;
    Ok(Rows { filling, texts: Texts::Awkward, compared: false })
}

/// The end for a migration that no rows survive: its schema, and rows that were made for that.
async fn written_without_rows(
    cluster: &Cluster,
    request: &Request,
    new: &Catalog,
    touched: &Touched,
) -> Result<(), RehearseError> {
    cluster.drop_database(WRITTEN).await?;
    cluster.create(WRITTEN, Some(HISTORY)).await?;
    let mut session = Session::open(&cluster.owner(WRITTEN)).await.while_("connecting")?;
    let mut admin = cluster.admin(WRITTEN).await?;
    let result = carry_out(&mut session, &mut admin, &request.written.up, &mut Carried::default()).await;
    result.map_err(|broken| failed(&broken, "the migration fails on a schema without rows"))?;
    let wanted = Wanted { catalog: new, also: None, seed: request.options.seed, texts: Texts::Awkward };
    fill(&mut session, wanted, &touched.filled, request.options.rows).await.map(|_| ())
}

/// A failure of a migration in words.
pub(crate) fn failed(broken: &Broken, what: &str) -> RehearseError {
    let advice = match broken.failure.sqlstate.as_str() {
        "42501" => {
            ". Here a migration runs without superuser, server programs and files: what needs more is not rehearsed"
        }
        "0A000" | "58P01" if broken.failure.message.contains("extension") => {
            ". Install the extension beside this server, or name another server's programs with --bin-dir"
        }
        _ => "",
    };
    let statement = lockkeeper_core::text::sanitise(&broken.statement, 160);
    RehearseError::Migration(format!(
        "{what} at {}:{} with {}{advice}. The statement: {statement}",
        broken.path, broken.line, broken.failure
    ))
}

async fn history(
    cluster: &Cluster,
    request: &Request,
    progress: Progress<'_>,
) -> Result<Vec<String>, RehearseError> {
    cluster.create(HISTORY, None).await?;
    let mut session = Session::open(&cluster.owner(HISTORY)).await.while_("connecting")?;
    let mut admin = cluster.admin(HISTORY).await?;
    let mut carried = Carried::default();
    for (number, script) in request.history.iter().enumerate() {
        progress(&format!("history {} of {}: {}", number + 1, request.history.len(), script.path));
        refuse_client(script)?;
        // Each file in the state in which a runner begins one.
        session.run("RESET ALL").await.while_("carrying the history out")?;
        let result = carry_out(&mut session, &mut admin, std::slice::from_ref(script), &mut carried).await;
        result.map_err(|broken| failed(&broken, "the history before the migration fails"))?;
    }
    Ok(carried.notes)
}

fn refuse_client(script: &Script) -> Result<(), RehearseError> {
    match script.needs_psql() {
        None => Ok(()),
        Some(line) => Err(RehearseError::Migration(format!(
            "{}:{line} is a command of psql, or rows for COPY, which no runner sends to a server: what needs psql is not rehearsed",
            script.path
        ))),
    }
}

async fn catalog(cluster: &Cluster, database: &str) -> Result<Catalog, RehearseError> {
    Catalog::read(&mut cluster.admin(database).await?).await
}

/// The tables that a migration locks or changes.
struct Touched {
    /// Those that somebody may wait for.
    changed: BTreeSet<u32>,
    /// Those that get rows: also what is only read.
    filled: BTreeSet<u32>,
}

/// The tables that two schemas do not have alike: themselves, the types of their columns, or the views over them.
fn differing(old: &Catalog, new: &Catalog) -> BTreeSet<u32> {
    let differs = |it: &&Table| new.tables.get(&it.oid).is_none_or(|new| new != *it);
    let types = old.types.iter().filter(|(oid, it)| new.types.get(oid) != Some(it));
    let types: Vec<u32> = types.map(|(oid, _)| *oid).collect();
    let retyped = |it: &&Table| it.columns.iter().any(|column| old.is_made_of(column.ty, &types));
    let tables = old.tables.values().filter(|it| differs(it) || retyped(it)).map(|it| it.oid);
    let views = old.views.iter().filter(|it| !new.views.contains(it)).flat_map(|it| it.reads.iter().copied());
    let known = tables.chain(views).filter(|it| old.tables.contains_key(it));
    known.map(|it| old.root(it)).collect()
}

/// Carries the migration out on an empty schema, to see what it locks and what it makes.
async fn touched(
    cluster: &Cluster,
    request: &Request,
    old: &Catalog,
) -> Result<(Touched, Catalog), RehearseError> {
    const PROBE: &str = "probe";
    cluster.create(PROBE, Some(HISTORY)).await?;
    request.written.up.iter().try_for_each(refuse_client)?;
    let mut session = Session::open(&cluster.owner(PROBE)).await.while_("connecting")?;
    let mut carried = Carried::default();
    let result =
        explore(&mut session, &mut cluster.admin(PROBE).await?, &request.written.up, &mut carried).await;
    result.map_err(|broken| failed(&broken, "the migration fails on a schema without rows"))?;
    let new = catalog(cluster, PROBE).await?;
    drop(session);
    cluster.drop_database(PROBE).await?;
    let mut changed = differing(old, &new);
    let mut filled = BTreeSet::new();
    for lock in carried.held.iter().filter(|it| old.tables.contains_key(&it.oid)) {
        filled.insert(old.root(lock.oid));
        if lock.mode != "ACCESS SHARE" {
            changed.insert(old.root(lock.oid));
        }
    }
    filled.extend(&changed);
    // A view over a touched table shows something when the others that it reads have rows too.
    let parts = |oid: &u32| filled.contains(&old.root(*oid));
    let read = old.views.iter().filter(|it| it.reads.iter().any(parts)).flat_map(|it| &it.reads);
    let beside: Vec<u32> = read.filter(|it| old.tables.contains_key(it)).map(|it| old.root(*it)).collect();
    filled.extend(beside);
    Ok((Touched { changed, filled }, new))
}

async fn filled(
    cluster: &Cluster,
    wanted: Wanted<'_>,
    touched: &BTreeSet<u32>,
    request: &Request,
    progress: Progress<'_>,
) -> Result<Filling, RehearseError> {
    progress("makes rows");
    cluster.create(FILLED, Some(HISTORY)).await?;
    let mut session = Session::open(&cluster.owner(FILLED)).await.while_("connecting")?;
    fill(&mut session, wanted, touched, request.options.rows).await
}

async fn written(
    cluster: &Cluster,
    request: &Request,
    progress: Progress<'_>,
) -> Result<Result<(), Broken>, RehearseError> {
    progress("carries the migration out as it is written, without clients");
    cluster.create(WRITTEN, Some(FILLED)).await?;
    let mut session = Session::open(&cluster.owner(WRITTEN)).await.while_("connecting")?;
    let mut admin = cluster.admin(WRITTEN).await?;
    Ok(carry_out(&mut session, &mut admin, &request.written.up, &mut Carried::default()).await)
}
