//! The process of the client, which may end without telling while something else keeps our input open.

use std::time::Duration;

use crate::world::World;

/// How often it is looked for.
const PAUSE: Duration = Duration::from_secs(2);

/// Waits until the process that the client named is gone; for ever where it named none.
pub(crate) async fn gone(world: &World) {
    while world.client_process().is_none_or(is_alive) {
        tokio::time::sleep(PAUSE).await;
    }
    tracing::warn!("the client's process is gone");
}

#[cfg(unix)]
fn is_alive(process: i32) -> bool {
    use rustix::io::Errno;
    let Some(process) = rustix::process::Pid::from_raw(process) else { return true };
    // What may not be asked is there.
    !matches!(rustix::process::test_kill_process(process), Err(Errno::SRCH))
}

/// Elsewhere the end of the input tells.
#[cfg(not(unix))]
fn is_alive(_: i32) -> bool {
    true
}
