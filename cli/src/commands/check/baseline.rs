//! `check --baseline`: what was there before, accepted; what no longer occurs, told.

use std::path::Path;

use anyhow::Context;
use lockkeeper_core::hazards::{self, Trigger};
use lockkeeper_core::policy::UNREAD;
use lockkeeper_core::report::{CheckReport, ProblemReport};
use lockkeeper_core::text::counted;
use lockkeeper_project::analysis::Policies;
use lockkeeper_project::baseline::{Accepted, Baseline, BaselineError};

use crate::args::CheckArgs;
use crate::exit::usage;

/// Accepts what the baseline lists, and writes the baseline where the call asks for it.
pub fn apply(
    path: &Path,
    args: &CheckArgs,
    policies: &Policies,
    report: &mut CheckReport,
) -> anyhow::Result<()> {
    let loaded = Baseline::load(path).map_err(|error| match error {
        BaselineError::Wrong { .. } => usage(error.to_string()),
        error @ BaselineError::Unreadable { .. } => error.into(),
    })?;
    let baseline = match loaded {
        Some(baseline) => baseline,
        None if args.baseline.write_baseline => begin(path, args, report)?,
        None => {
            return Err(usage(format!(
                "{} does not exist: `lockkeeper check --baseline {} --write-baseline --reason TEXT` makes it",
                path.display(),
                path.display()
            )));
        }
    };
    let mut met = std::collections::BTreeSet::new();
    let reasons = baseline.reasons();
    report.accept(policies.whole(), |fingerprint| {
        let reason = reasons.get(fingerprint)?;
        met.insert(fingerprint.to_owned());
        Some((*reason).to_owned())
    });
    let is_stale =
        |it: &&Accepted| !met.contains(&it.fingerprint) && can_be_stale(it, args, policies, report);
    let stale: Vec<&Accepted> = baseline.accepted.iter().filter(is_stale).collect();
    if args.baseline.write_baseline {
        return write(path, &baseline, &stale);
    }
    let told: Vec<ProblemReport> = stale.iter().map(|it| told(path, it)).collect();
    report.problems.extend(told);
    Ok(())
}

/// All findings of the project, accepted for the reason that the call gives.
fn begin(path: &Path, args: &CheckArgs, report: &CheckReport) -> anyhow::Result<Baseline> {
    let Some(reason) = args.baseline.reason.as_deref().filter(|it| !it.trim().is_empty()) else {
        return Err(usage(format!(
            "{} would accept findings without a reason: add --reason TEXT",
            path.display()
        )));
    };
    let baseline = Baseline::of(report, reason);
    save(path, &baseline)?;
    eprintln!("lockkeeper: {} accepts {}", path.display(), counted(baseline.accepted.len(), "finding"));
    Ok(baseline)
}

fn write(path: &Path, baseline: &Baseline, stale: &[&Accepted]) -> anyhow::Result<()> {
    if stale.is_empty() {
        return Ok(());
    }
    save(path, &baseline.without(stale))?;
    let removed = counted(stale.len(), "finding");
    eprintln!("lockkeeper: removed {removed} from {}: no longer there", path.display());
    Ok(())
}

fn save(path: &Path, baseline: &Baseline) -> anyhow::Result<()> {
    std::fs::write(path, baseline.text()).with_context(|| format!("{} cannot be written", path.display()))
}

/// Whether the call looked where the finding was: then its absence means that it is gone.
fn can_be_stale(it: &Accepted, args: &CheckArgs, policies: &Policies, report: &CheckReport) -> bool {
    let rule = hazards::by_id(&it.rule);
    let is_looked_for = match rule {
        // Only some calls know which migrations run in one deploy.
        Some(rule) => {
            !matches!(rule.trigger, Trigger::Deploy(_))
                && policies.of(&it.path).severities.get(&it.rule) != Some(&None)
        }
        None => true,
    };
    let is_known = rule.is_some() || it.rule == UNREAD;
    let is_whole = args.paths.is_empty()
        && args.since.is_none()
        && args.database_url.is_none()
        && args.selection.is_everything();
    !is_known || is_looked_for && (is_whole || report.files.iter().any(|file| file.path == it.path))
}

fn told(path: &Path, it: &Accepted) -> ProblemReport {
    ProblemReport {
        path: path.display().to_string(),
        message: format!("accepts {} in {}, which no longer occurs", it.rule, it.path),
        advice: "--write-baseline removes the entry".to_owned(),
        unread: false,
    }
}
