//! Where the approvals and plans of a project are kept, and the policy that decides about them.

use lockkeeper_project::Project;
use lockkeeper_project::git::{self, GitError};
use lockkeeper_project::policy::{self, PolicyError};
use lockkeeper_root::Root;

use crate::ledger::{self, Ledger};
use crate::plan::Store;
use crate::policy::{Policy, Stated};
use crate::signature::SignatureError;
use crate::state::{State, StateError};

/// The ledger and the stored plans of a project, with the policy in force.
#[derive(Debug)]
pub struct Books {
    pub ledger: Ledger,
    pub store: Store,
    pub policy: Policy,
}

/// Why they cannot be used: then every gate is closed.
#[derive(Debug, thiserror::Error)]
pub enum BooksError {
    #[error("the project cannot be opened: {0}")]
    Root(std::io::Error),
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Git(#[from] GitError),
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error(transparent)]
    Signers(#[from] SignatureError),
}

impl Books {
    /// Those of a project, for the user that runs this program.
    pub fn of(project: &Project) -> Result<Books, BooksError> {
        let root = Root::open(&project.root).map_err(BooksError::Root)?;
        let state = State::of_user()?.of_workspace(&root)?;
        let committed = git::committed(&project.root, ledger::PATH)?.bytes();
        let policy = in_force(project)?;
        let store = Store::new(state.clone());
        Ok(Books { ledger: Ledger::new(root, state, committed, policy.signers.clone()), store, policy })
    }
}

/// The policy in force: what is committed, and what the working copy tightens. The configuration is the one that was read with the project.
pub fn in_force(project: &Project) -> Result<Policy, BooksError> {
    let stated = policy::in_force(project)?;
    Ok(Policy::new(Stated {
        configuration: project.config.text(),
        tiers: stated.tiers,
        databases: stated.databases,
        loosened: stated.changes.iter().any(|it| it.loosens),
        changes: stated.changes.iter().map(ToString::to_string).collect(),
        signers: stated.signers.as_deref(),
    })?)
}
