//! `write_report`, behind the strategy gate.

use lockkeeper_approval::answer::Asker;
use lockkeeper_approval::ledger::entry::Action;
use lockkeeper_project::planning;

use super::write_migrations::{Request, Response, again};
use crate::gate::{spend, status_of};
use crate::world::{Told, World};

/// Before or after the migrations, under the same approval. What is written is the report of the plan as it was approved:
/// once the migrations are written, the file that it was made from is another.
pub fn run(world: &World, request: &Request, asker: Asker) -> Told<Response> {
    let stored = world.stored(&request.plan)?;
    let before_migrations = status_of(&stored, Some(Action::WriteMigrations), asker)?.status == "open";
    if before_migrations && let Err(stale) = again(world, &stored, asker)? {
        return Ok(stale.into());
    }
    let id = stored.plan.id();
    let documents = stored.books.store.documents(&id).map_err(|error| error.to_string())?;
    let write = || planning::write_report(&stored.project, &documents);
    Ok(match spend(&stored, Action::WriteReport, asker, write)? {
        Ok(files) => {
            let plan = Some(id.to_string());
            let next =
                "tell your human where the report stands: they read it before they deploy the first file"
                    .to_owned();
            Response { status: "written".to_owned(), next, files, plan, ..Response::default() }
        }
        Err(closed) => closed.into(),
    })
}
