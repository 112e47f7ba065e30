//! Exit codes, and how failures are told.

use std::process::ExitCode;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Nothing at or above the threshold.
    Fine,
    /// Hazards at or above the threshold.
    Hazards,
    /// A gate is closed.
    GateClosed,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Fine => 0,
            Exit::Hazards => 1,
            Exit::GateClosed => 4,
        })
    }
}

/// The call is wrong: the message says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Usage {
    message: String,
}

/// A wrong call as an error.
pub fn usage(message: impl Into<String>) -> anyhow::Error {
    Usage { message: message.into() }.into()
}

/// Tells a failure on stderr. 2: the call is wrong; 3: the environment failed.
pub fn report(error: &anyhow::Error) -> ExitCode {
    let mut causes = error.chain().map(ToString::to_string).collect::<Vec<_>>();
    causes.dedup();
    eprintln!("lockkeeper: {}", causes.join(": "));
    if error.downcast_ref::<Usage>().is_some() { ExitCode::from(2) } else { ExitCode::from(3) }
}
