//! Why something was not rehearsed, in the user's words.

use crate::session::Failure;

/// Why there is no rehearsal, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum RehearseError {
    /// There is no server to rehearse on.
    #[error("{0}")]
    NoServer(String),
    /// The throw-away server could not be started.
    #[error("the throw-away PostgreSQL does not start: {0}")]
    Start(String),
    /// A file or folder of the throw-away server could not be made.
    #[error("the folder of the throw-away PostgreSQL: {0}")]
    Folder(#[from] std::io::Error),
    /// A migration before the one that is rehearsed failed, or that one did.
    #[error("{0}")]
    Migration(String),
    /// The time or the disk is used up.
    #[error("{0}")]
    Limit(String),
    /// Somebody ended the program.
    #[error("interrupted: the throw-away server is removed")]
    Interrupted,
    /// The throw-away server did not do what it must.
    #[error("the throw-away PostgreSQL failed while {doing}: {failure}")]
    Server {
        /// What we did.
        doing: &'static str,
        /// What it said.
        failure: Failure,
    },
}

impl RehearseError {
    /// Whether the environment failed, not what was asked.
    pub fn is_environment(&self) -> bool {
        matches!(self, Self::Start(_) | Self::Folder(_) | Self::Server { .. })
    }
}

/// Says what we did when the server refused.
pub(crate) trait While<T> {
    fn while_(self, doing: &'static str) -> Result<T, RehearseError>;
}

impl<T> While<T> for Result<T, Failure> {
    fn while_(self, doing: &'static str) -> Result<T, RehearseError> {
        self.map_err(|failure| RehearseError::Server { doing, failure })
    }
}
