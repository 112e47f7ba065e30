//! Writing from the command line: a person at a terminal is asked; where nobody is, that is written down.

use std::io::IsTerminal;

use lockkeeper_approval::books::Books;
use lockkeeper_approval::content::Content;
use lockkeeper_approval::ledger::entry::Action;
use lockkeeper_approval::plan::StoredPlan;
use lockkeeper_approval::{status, terminal};
use lockkeeper_project::Project;

use crate::commands::approve::now;
use crate::exit::usage;

/// Whether somebody said yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attended {
    /// A person typed it.
    Yes,
    /// A person typed something else.
    No,
    /// Nobody was asked; the call says that this is meant.
    Stated,
    /// Nobody was asked, and nothing says that this is meant.
    Nobody,
}

/// Asks at the terminal that the command was started in.
pub fn ask(question: &str, yes: bool) -> anyhow::Result<Attended> {
    if yes {
        return Ok(Attended::Stated);
    }
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return Ok(Attended::Nobody);
    }
    let typed = terminal::confirm(question, "yes").map_err(|error| usage(error.to_string()))?;
    Ok(if typed { Attended::Yes } else { Attended::No })
}

/// Writes what `content` stands for. Unless a person said yes, the ledger tells of it, before anything is written. A ledger that cannot be used
/// keeps nobody from writing here, since nothing here is behind a gate: it is said.
pub fn write<T>(
    project: &Project,
    attended: Attended,
    action: Action,
    subject: &str,
    content: impl FnOnce(&Books) -> Content,
    act: impl FnOnce() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    if attended == Attended::Yes {
        return act();
    }
    let books = Books::of(project).map_err(anyhow::Error::from);
    let noted = books.and_then(|books| {
        let content = content(&books);
        let request = |plan: &StoredPlan| status::request(plan.id(), &plan.contents[0]);
        let plan = StoredPlan { subject: subject.to_owned(), named: None, contents: vec![content] };
        let question = books.ledger.write_unattended(request(&plan), subject, action, now())?;
        Ok((books, question))
    });
    match &noted {
        Ok(_) if attended == Attended::Nobody => eprintln!(
            "lockkeeper: nobody was asked, since there is no terminal: this is written unattended, and the ledger tells of it. --yes says that \
             it is meant"
        ),
        Ok(_) => {}
        Err(error) => {
            eprintln!("lockkeeper: this is written unattended, and the ledger cannot tell of it: {error}")
        }
    }
    let done = act();
    if let (Err(_), Ok((books, question))) = (&done, noted) {
        books.ledger.not_written(question, action, now())?;
    }
    done
}
