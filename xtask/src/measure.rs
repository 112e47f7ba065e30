//! What a program used of the processor and of memory, from what Linux says of children.

use anyhow::{Context, Result, bail};
use std::process::{Command, Stdio};
use std::time::Duration;

/// What one run of a program used.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// User and system time, with its children.
    pub seconds: f64,
    /// The most memory at a time. Looked at every millisecond: what comes in the last of them may be missed.
    pub megabytes: f64,
}

/// Runs a program to its end, whatever it says and how ever it ends.
pub fn usage(command: &mut Command) -> Result<Usage> {
    let before = of_children()?;
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("cannot start it")?;
    let status = format!("/proc/{}/status", child.id());
    let mut megabytes = 0.0_f64;
    while child.try_wait()?.is_none() {
        megabytes = megabytes.max(peak(&status).unwrap_or_default());
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(Usage { seconds: of_children()? - before, megabytes })
}

/// `VmHWM:    12345 kB`
fn peak(status: &str) -> Option<f64> {
    let status = std::fs::read_to_string(status).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<f64>().ok()? / 1_000.0)
}

/// User and system time of a program with its children.
pub fn processor_seconds(command: &mut Command) -> Result<f64> {
    let before = of_children()?;
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().context("cannot start it")?;
    Ok(of_children()? - before)
}

/// The processor time of all children so far: `cutime` and `cstime` of `/proc/self/stat`, in hundredths of a second.
fn of_children() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").context("only Linux says what a child used")?;
    let (_, fields) = stat.rsplit_once(')').context("an unknown form of /proc/self/stat")?;
    let fields: Vec<i64> = fields.split_whitespace().filter_map(|it| it.parse().ok()).collect();
    // Behind the letter of the state, which is no number, `cutime` and `cstime` are the 13th and 14th.
    let [user, system] = fields.get(12..14).context("too few fields")? else { bail!("too few fields") };
    Ok((user + system) as f64 / 100.0)
}
