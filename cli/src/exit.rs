//! Exit codes, and how failures are told.

use std::process::ExitCode;

use lockkeeper_project::folder::Problem;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Nothing at or above the threshold.
    Fine,
    /// Hazards at or above the threshold; something failed in a rehearsal.
    Hazards,
    /// A gate is closed.
    GateClosed,
    /// Something that the call is about could not be read.
    Unread,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Fine => 0,
            Exit::Hazards => 1,
            Exit::GateClosed => 4,
            Exit::Unread => 5,
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

/// What the call is about is of a kind that is not analysed: the message says the way out.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct NotRead {
    message: String,
}

/// Something that is not analysed as an error.
pub fn unread(problem: &Problem) -> anyhow::Error {
    NotRead { message: format!("{} {}: {}", problem.path, problem.message, problem.advice) }.into()
}

/// Tells a failure on stderr. 2: the call is wrong; 3: the environment failed; 5: it is about what is not analysed.
pub fn report(error: &anyhow::Error) -> ExitCode {
    let mut causes = error.chain().map(ToString::to_string).collect::<Vec<_>>();
    causes.dedup();
    eprintln!("lockkeeper: {}", causes.join(": "));
    if error.downcast_ref::<NotRead>().is_some() {
        return Exit::Unread.into();
    }
    if error.downcast_ref::<Usage>().is_some() { ExitCode::from(2) } else { ExitCode::from(3) }
}
