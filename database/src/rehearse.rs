//! A rehearsal from its start to its report, within its limits.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lockkeeper_core::report::RehearsalReport;
use tokio::signal::unix::{SignalKind, signal};

use crate::cluster::Cluster;
use crate::error::RehearseError;
use crate::request::{Options, Progress, Request};
use crate::traffic::control;
use crate::{beside, binaries, lost, outcome, quiet, stage};

/// Carries a migration out on a throw-away server and says what it did.
///
/// # Errors
/// [`RehearseError`] where nothing could be rehearsed, or a limit ended it.
pub fn rehearse(request: &Request, progress: Progress<'_>) -> Result<RehearsalReport, RehearseError> {
    let options = &request.options;
    let bin = binaries::find(options.bin_dir.as_deref(), options.version)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        // From here on a signal does not end the program before the server is gone.
        let mut signals = [
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ];
        progress("starts a throw-away PostgreSQL");
        let cluster = Cluster::start(&bin, options).await?;
        let doing = Arc::new(Mutex::new(String::new()));
        let said = |what: &str| {
            what.clone_into(&mut doing.lock().unwrap_or_else(PoisonError::into_inner));
            progress(what);
        };
        let [interrupt, terminate, hangup] = &mut signals;
        let result = tokio::select! {
            result = whole(&cluster, request, &said) => result,
            _ = interrupt.recv() => Err(RehearseError::Interrupted),
            _ = terminate.recv() => Err(RehearseError::Interrupted),
            _ = hangup.recv() => Err(RehearseError::Interrupted),
            limit = limit(&cluster, options) => Err(limit),
        };
        let result = match result {
            Err(RehearseError::Limit(limit)) => {
                let doing = doing.lock().unwrap_or_else(PoisonError::into_inner);
                Err(RehearseError::Limit(format!("{limit}; it was at: {doing}")))
            }
            result => result,
        };
        drop(cluster);
        result
    })
}

/// Ends when the time or the disk is used up.
async fn limit(cluster: &Cluster, options: &Options) -> RehearseError {
    const LOOK: Duration = Duration::from_millis(250);
    let start = std::time::Instant::now();
    loop {
        tokio::time::sleep(LOOK).await;
        if start.elapsed() > options.max_time {
            let seconds = options.max_time.as_secs();
            return RehearseError::Limit(format!("stopped after {seconds} s, which --max-time allows"));
        }
        if cluster.bytes() > options.max_disk {
            let mebibytes = options.max_disk >> 20;
            return RehearseError::Limit(format!(
                "stopped at {mebibytes} MB of disk, which --max-disk allows"
            ));
        }
    }
}

async fn whole(
    cluster: &Cluster,
    request: &Request,
    progress: Progress<'_>,
) -> Result<RehearsalReport, RehearseError> {
    let server = cluster.version().await?;
    let stage = stage::set(cluster, request, progress).await?;
    let (steps, mut seen) = beside::run(cluster, request, &stage, progress).await?;
    let usual = control::usual(cluster, &stage, &seen).await?;
    seen.excuse(&usual);
    let went_through = steps.iter().all(|it| it.measured.result.is_ok());
    let lost =
        if went_through { lost::lost(cluster, &stage, beside::BUSY, &seen).await? } else { Vec::new() };
    let mut compared = match &request.rewritten {
        Some(rewritten) if went_through => quiet::run(cluster, request, rewritten, &stage, progress).await?,
        _ => quiet::Compared::default(),
    };
    compared.differences.extend(lost);
    Ok(outcome::report(request, server, stage, &steps, &seen, compared))
}
