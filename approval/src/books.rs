//! Where the approvals and plans of a project are kept, and the policy that decides about them.

use lockkeeper_project::Project;
use lockkeeper_project::git::{self, GitError};
use lockkeeper_project::policy::{self, PolicyError};
use lockkeeper_root::Root;

use crate::gate::Gate;
use crate::ledger::entry::{Action, Event};
use crate::ledger::{self, Ledger, Status};
use crate::plan::Store;
use crate::policy::{Policy, Stated};
use crate::signature::SignatureError;
use crate::state::{State, StateError};
use crate::status;
use crate::time::Time;

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

    /// Whether an approval that is open now lets a file be written with exactly this text.
    pub fn lets_write(&self, path: &str, text: &str, now: Time) -> bool {
        let Ok(entries) = self.ledger.entries(now) else { return false };
        let approved = entries.iter().filter(|it| it.event == Event::Approved).map(|it| &it.question.request);
        let mut plans =
            approved.filter(|it| it.gate == Gate::Strategy).filter_map(|it| self.store.load(&it.plan).ok());
        plans.any(|plan| {
            plan.at(Gate::Strategy).any(|content| {
                let required = self.policy.required(content);
                let action = Some(Action::WriteMigrations);
                content.files.iter().any(|it| it.path == path && it.text == text)
                    && matches!(
                        status::status(&self.ledger, &self.store, &plan, content, action, required, now),
                        Status::Open(_)
                    )
            })
        })
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
