//! `write_migrations`, behind the strategy gate.

use lockkeeper_approval::answer::Asker;
use lockkeeper_approval::content::Content;
use lockkeeper_approval::ledger::Closed;
use lockkeeper_approval::ledger::entry::Action;
use lockkeeper_core::framework::Timestamp;
use lockkeeper_core::report::ReleaseReport;
use lockkeeper_project::{analysis, rewrite};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::gate::{GateAnswer, closed, content, spend};
use crate::world::{Planned, Stored, Told, World};

/// The plan, and nothing else: what is written follows from it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The plan's id, from `propose_strategies`.
    pub plan: String,
}

/// The files that were written, or how a human opens the gate.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Response {
    /// `written` or `approval_required`.
    pub status: String,
    /// What to do next.
    pub next: String,
    /// The files that may be deployed now, in the order in which they run.
    pub files: Vec<String>,
    /// The files in which steps wait until their release is out. Your human brings them into the migrations folder, by `lockkeeper rewrite FILE --continue --write`.
    pub held: Vec<String>,
    /// What the application must do between phases.
    pub releases: Vec<ReleaseReport>,
    /// The plan's id.
    pub plan: Option<String>,
    /// The whole digest of what is approved.
    pub digest: Option<String>,
    /// The gate.
    pub gate: Option<String>,
    /// How an approval must at least be given.
    pub tier: Option<String>,
    /// Why the gate is closed.
    pub reason: Option<String>,
    /// What a human can do to open it.
    pub how: Vec<String>,
    /// When an approval given now would expire.
    pub expires: Option<String>,
    /// Your human said no: do not ask again before this time.
    pub retry_after: Option<String>,
    /// What the working copy of lockkeeper.toml changes and nobody has committed.
    pub policy_changes: Vec<String>,
}

impl From<GateAnswer> for Response {
    fn from(gate: GateAnswer) -> Self {
        Self {
            status: gate.status,
            next: gate.next,
            plan: Some(gate.plan),
            digest: Some(gate.digest),
            gate: Some(gate.gate),
            tier: Some(gate.tier),
            reason: gate.reason,
            how: gate.how,
            expires: Some(gate.expires),
            retry_after: gate.retry_after,
            policy_changes: gate.policy_changes,
            ..Self::default()
        }
    }
}

pub fn run(world: &World, request: &Request, asker: Asker) -> Told<Response> {
    let stored = world.stored(&request.plan)?;
    let planned = match again(world, &stored, asker)? {
        Ok(planned) => planned,
        Err(stale) => return Ok(stale.into()),
    };
    let rewrite = drafted(&planned)?;
    let write = || rewrite::write(&planned.project.root, rewrite).map_err(|error| error.message);
    if let Err(closed) = spend(&stored, Action::WriteMigrations, asker, write)? {
        return Ok(closed.into());
    }
    let report = analysis::rewrite_report(rewrite);
    Ok(Response {
        status: "written".to_owned(),
        files: rewrite.files.iter().filter(|it| !it.held).map(|it| it.path.clone()).collect(),
        held: held_in(rewrite),
        releases: report.releases,
        next: format!(
            "tell your human which files were written and what each release must do before the file that it stands before; make the \
             application's changes of the first release, and run nothing against a database.{} write_report writes the report of plan {}",
            if rewrite.holds_back() { WAITS } else { "" },
            stored.plan.id()
        ),
        plan: Some(stored.plan.id().to_string()),
        ..Response::default()
    })
}

/// The stored plan made again from what is there now; or, where something changed, how the gate is closed.
pub fn again(world: &World, stored: &Stored, asker: Asker) -> Told<Result<Planned, GateAnswer>> {
    let before = content(&stored.plan)?;
    let named = Timestamp::from_unix(stored.plan.named.unwrap_or_default());
    let (subject, strategy) = (&stored.plan.subject, before.strategy.as_deref());
    let draft = stored.books.store.draft(&stored.plan.id()).map_err(|error| error.to_string())?;
    let planned = match draft {
        Some(text) => World::plan_draft(world.project()?, subject, text, strategy, named)?,
        None => world.plan(subject, strategy, Some(named))?,
    };
    if let Some(refusal) = &planned.refusal {
        return Err(refusal.clone());
    }
    let changes = Content::difference(before, content(&planned.stored)?);
    if changes.is_empty() {
        return Ok(Ok(planned));
    }
    Ok(Err(closed(stored, before, &Closed::Stale(changes), asker)))
}

/// What is said of them.
const WAITS: &str = " The steps in `held` must not be deployed yet: leave them where they are, your human brings them when their release is out.";

/// The files in which steps wait.
fn held_in(rewrite: &rewrite::Rewrite) -> Vec<String> {
    let mut found: Vec<String> = rewrite.files.iter().filter_map(|it| it.kept_in.clone()).collect();
    found.dedup();
    found
}

/// The files of the plan: made before the gate is asked, so that an approval is never used up for nothing.
fn drafted(planned: &Planned) -> Told<&rewrite::Rewrite> {
    match &planned.rewrite {
        Ok(Some(rewrite)) => Ok(rewrite),
        Ok(None) => Err(why_no_plan(planned)),
        Err(error) => Err(error.message.clone()),
    }
}

/// Why there is nothing to write.
pub fn why_no_plan(planned: &Planned) -> String {
    if !planned.report.blocked_by.is_empty() {
        let open = planned.report.blocked_by.join(", ");
        return format!(
            "questions are open: {open}. Your human answers them under [answers] in lockkeeper.toml"
        );
    }
    if planned.report.plan.is_some() {
        return "the chosen strategy leaves the migration as it is: there is nothing to write".to_owned();
    }
    let reasons = planned.report.strategies.iter().filter_map(|it| it.excluded.clone());
    let mut reasons: Vec<String> = reasons.collect();
    reasons.dedup();
    format!("no strategy is possible: {}", reasons.join("; "))
}
