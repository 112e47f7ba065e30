//! What fails without the migration too: values are made up, and a trigger or a key of the project may refuse some of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::beside::BETWEEN;
use crate::cluster::Cluster;
use crate::error::{RehearseError, While};
use crate::session::Session;
use crate::stage::{FILLED, Stage, WRITTEN};

use super::clients::{Seen, Times};
use super::statements::{Call, Release};

/// How many calls behind the one that failed are tried too: rows differ by then.
const TURNS: i64 = 60;
/// Each has another number, as if one client did it alone.
const APART: i64 = 7;

/// Statements of a release, as clients show them, with the state with which they fail.
pub(crate) type Usual = BTreeSet<(String, String, String)>;

/// Tries what failed again, on the schema before the migration and on the one behind it, with nobody beside it.
pub(crate) async fn usual(cluster: &Cluster, stage: &Stage, seen: &Seen) -> Result<Usual, RehearseError> {
    const CONTROL: &str = "control";
    let mut failed: BTreeMap<&str, i64> = BTreeMap::new();
    for ((step, _, shown, _), times) in &seen.failed {
        if *step > 0 {
            failed.entry(shown).or_insert(times.first);
        }
    }
    let mut usual = Usual::new();
    for (database, release) in [(FILLED, &stage.running), (WRITTEN, &stage.next)] {
        let calls = of_release(release, &failed);
        if calls.is_empty() {
            continue;
        }
        cluster.create(CONTROL, Some(database)).await?;
        let mut session = Session::open(&cluster.owner(CONTROL)).await.while_("connecting")?;
        for (call, first) in calls {
            for turn in 0..TURNS {
                let refused = refused(&mut session, call, first + turn * APART).await;
                usual.extend(refused.map(|(shown, state)| (release.name.clone(), shown, state)));
            }
        }
        drop(session);
        cluster.drop_database(CONTROL).await?;
    }
    Ok(usual)
}

impl Seen {
    /// Puts what is no fault of the migration to what failed before its first step: the release fails with it on the schema of its own too,
    /// one between two on that of either, or some release did before the first step.
    pub fn excuse(&mut self, usual: &Usual) {
        let before = self.failed.keys().filter(|(step, ..)| *step == 0);
        let before: BTreeSet<(String, String)> =
            before.map(|(_, _, shown, failure)| (shown.clone(), failure.sqlstate.clone())).collect();
        for ((step, release, shown, failure), times) in std::mem::take(&mut self.failed) {
            let fails_alone = usual.iter().any(|(name, one, state)| {
                (one, state) == (&shown, &failure.sqlstate) && (*name == release || release == BETWEEN)
            });
            let is_usual = fails_alone || before.contains(&(shown.clone(), failure.sqlstate.clone()));
            let key = (if is_usual { 0 } else { step }, release, shown, failure);
            self.failed.entry(key).or_insert(Times { count: 0, ..times }).count += times.count;
        }
    }
}

/// The calls that failed, themselves or the delete behind them, each with the number with which it did.
fn of_release<'a>(release: &'a Release, failed: &BTreeMap<&str, i64>) -> Vec<(&'a Call, i64)> {
    let first = |call: &Call| {
        let delete = call.deletes.as_ref().map(|it| it.shown());
        failed.get(call.shown.as_str()).or_else(|| failed.get(delete?.as_str())).copied()
    };
    release.calls.iter().filter_map(|call| Some((call, first(call)?))).collect()
}

/// How a call is refused, or the delete behind it.
async fn refused(session: &mut Session, call: &Call, number: i64) -> Option<(String, String)> {
    let rows = match session.rows(&call.written_out(number)).await {
        Ok(rows) => rows,
        Err(failure) => return Some((call.shown.clone(), failure.sqlstate)),
    };
    let deletes = call.deletes.as_ref()?;
    let failure = session.run(&deletes.sql(rows.first()?)?).await.err()?;
    Some((deletes.shown(), failure.sqlstate))
}
