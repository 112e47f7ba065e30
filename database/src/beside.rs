//! A migration carried out beside the clients of the releases that are live.

use crate::catalog::Column;
use crate::cluster::Cluster;
use crate::error::RehearseError;
use crate::people;
use crate::request::{Progress, Request, Rewritten};
use crate::rows::words::names;
use crate::script::Step;
use crate::stage::{FILLED, Stage};
use crate::step::{Measured, carry};
use crate::traffic::clients::{Seen, Traffic};
use crate::traffic::statements::Release;

/// Where clients work.
pub(crate) const BUSY: &str = "busy";
/// What a release between two others is called.
pub(crate) const BETWEEN: &str = "release between";

/// A step with the releases that were live.
#[derive(Debug)]
pub(crate) struct Done {
    pub step: Step,
    pub direction: &'static str,
    pub releases: Vec<String>,
    pub measured: Measured,
}

/// All steps up, and what clients saw of them.
pub(crate) async fn run(
    cluster: &Cluster,
    request: &Request,
    stage: &Stage,
    progress: Progress<'_>,
) -> Result<(Vec<Done>, Seen), RehearseError> {
    cluster.create(BUSY, Some(FILLED)).await?;
    let traffic = Traffic::start(&cluster.owner(BUSY));
    let mut deploys = Deploys { traffic: &traffic, live: None };
    deploys.deploy(stage.running.clone()).await;
    let mut done = Vec::new();
    let (steps, releases) = match &request.rewritten {
        Some(Rewritten { steps, releases, .. }) => (steps.as_slice(), *releases),
        None => (std::slice::from_ref(&request.written), 0),
    };
    let mut out = 0;
    for (number, step) in steps.iter().enumerate() {
        while out < step.releases_before {
            out += 1;
            progress(&format!("release {out} of {releases} goes out"));
            let is_last = out == releases;
            deploys.pause().await;
            deploys.deploy(if is_last { stage.next_for(cluster, BUSY).await? } else { common(stage) }).await;
        }
        progress(&format!("step {} of {}: {}", number + 1, steps.len(), step.path));
        let people = people::prepare(cluster, BUSY, stage, step).await?;
        traffic.at_step(number + 1);
        let mut measured = carry(cluster, BUSY, &step.up).await?;
        measured.notes.extend(people);
        traffic.settle().await;
        let failed = measured.result.is_err();
        let releases = deploys.live.iter().map(|it| it.name.clone()).collect();
        done.push(Done { step: step.clone(), direction: "up", releases, measured });
        if failed {
            break;
        }
    }
    if done.iter().all(|it| it.measured.result.is_ok()) && (out < releases || releases == 0) {
        progress("the next release goes out");
        deploys.pause().await;
        deploys.deploy(stage.next_for(cluster, BUSY).await?).await;
    }
    Ok((done, traffic.end().await))
}

struct Deploys<'a> {
    traffic: &'a Traffic,
    live: Option<Release>,
}

impl Deploys<'_> {
    /// Lets all clients finish what they do, so that a row which one of them is about to delete is nobody's key.
    async fn pause(&self) {
        self.traffic.deploy(Vec::new());
        self.traffic.settle().await;
    }

    /// For a moment both releases are live, then only the new one.
    async fn deploy(&mut self, release: Release) {
        if let Some(live) = self.live.take() {
            self.traffic.deploy(vec![live, release.clone()]);
            self.traffic.settle().await;
        }
        self.traffic.deploy(vec![release.clone()]);
        self.traffic.settle().await;
        self.live = Some(release);
    }
}

/// What a release between two others does: what both of them do. A column that goes and comes again under its name is not there for a while.
fn common(stage: &Stage) -> Release {
    let next = |shown: &str| stage.next.calls.iter().any(|it| it.shown == shown);
    let made_again = made_again(stage);
    let misses = |shown: &str| {
        made_again.iter().any(|(table, column)| shown.contains(table.as_str()) && names(shown, column))
    };
    let both = stage.running.calls.iter().filter(|it| next(&it.shown) && !misses(&it.shown));
    Release { name: BETWEEN.to_owned(), calls: both.cloned().collect() }
}

/// The columns, each with its table, that the migration takes away and makes again.
fn made_again(stage: &Stage) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for old in stage.old.tables.values() {
        let Some(new) = stage.new.tables.get(&old.oid) else { continue };
        let again = |it: &&Column| {
            new.columns.iter().any(|other| other.name == it.name && other.number != it.number)
                && new.column(it.number).is_none()
        };
        let again = old.columns.iter().filter(again);
        found.extend(again.map(|it| (old.name.clone(), it.name.clone())));
    }
    found
}
