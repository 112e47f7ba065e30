//! The tool `draft_plan`: what it takes, what it answers, and how.

use lockkeeper_approval::plan::{PlanId, Store};
use lockkeeper_core::framework::{self, NewMigration, Timestamp};
use lockkeeper_core::text::is_invisible;
use lockkeeper_project::Project;
use lockkeeper_project::analysis;
use lockkeeper_project::folder::Folder;
use lockkeeper_project::secret::redact;
use schemars::JsonSchema;
use serde::Deserialize;

use super::propose_strategies::{Response, answer};
use crate::world::{Told, World, timestamp};

/// A change that is no file yet.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Request {
    /// The change as plain SQL, as if nobody used the database: `ALTER TABLE users RENAME COLUMN name TO full_name;`
    pub sql: String,
    /// A name for it: `rename_user_name`.
    pub name: String,
    /// SQL that takes it back.
    pub down: Option<String>,
    /// The folder of migrations, where the project has several.
    pub folder: Option<String>,
    /// Write out this strategy instead of the recommended one.
    pub strategy: Option<String>,
    /// `next_cursor` of the answer before, to read on.
    #[serde(default)]
    #[allow(dead_code, reason = "the wire reads it")]
    pub cursor: Option<String>,
}

/// Longer texts are no migrations.
const LONGEST: usize = 1_000_000;

/// Nothing is written in the project: the text is kept with the plan, and written with it.
pub fn run(world: &World, request: &Request) -> Told<Response> {
    if request.sql.trim().is_empty() || request.sql.len() > LONGEST {
        return Err("`sql` is empty or too long: give the statements of one migration".to_owned());
    }
    for (field, text) in [("sql", Some(&request.sql)), ("down", request.down.as_ref())] {
        if let Some(hidden) = text.and_then(|it| it.chars().find(|it| is_invisible(*it))) {
            return Err(format!(
                "`{field}` holds {}, which nobody sees who approves it: leave it out, or write it as an escape, U&'\\200D'",
                hidden.escape_unicode()
            ));
        }
    }
    let project = world.project()?;
    let folder = folder(&project, request.folder.as_deref())?;
    let store = Store::of(&project).map_err(|error| error.to_string())?;
    let change = change(folder, request);
    // Until the plan is stored: the same change, asked for twice at a time, is one plan.
    let naming = store.naming().map_err(|error| error.to_string())?;
    let earlier =
        store.latest_draft(&change).and_then(|it| Some((it.subject, Timestamp::from_unix(it.named?))));
    let again = earlier.and_then(|(subject, named)| {
        let draft = draft(folder, request, named).ok()?;
        (draft.0 == subject).then_some((draft, named))
    });
    let now = timestamp();
    let ((path, text), named) = match again {
        Some(again) => again,
        None => (draft(folder, request, now)?, now),
    };
    let strategy = request.strategy.as_deref();
    let planned = World::plan_draft(project.clone(), &path, text.clone(), strategy, named)?;
    let answer = answer(planned, Some(&text))?;
    if let Some(id) = answer.plan_id.as_deref().and_then(|it| PlanId::parse(it).ok()) {
        store.note_draft(&change, &id).map_err(|error| error.to_string())?;
    }
    drop(naming);
    Ok(answer)
}

/// What tells one change that is no file from another. The migrations that are there belong to it: the name must come after theirs.
fn change(folder: &Folder, request: &Request) -> String {
    let Request { sql, name, down, strategy, .. } = request;
    format!("draft {:?}", (&folder.path, folder.existing(), name, sql.trim(), down, strategy))
}

/// The path and the text of the migration, with the name that it gets at this time.
fn draft(folder: &Folder, request: &Request, named: Timestamp) -> Told<(String, String)> {
    // It becomes the name of a file, where nothing finds a secret any more.
    let name = redact(&request.name);
    let new = NewMigration {
        name: &name,
        up: &format!("{}\n", request.sql.trim()),
        down: request.down.as_deref(),
        transactional: true,
    };
    let spelled = framework::spell(folder.framework, &folder.existing(), named, &[new]);
    let files = spelled.map_err(|error| error.to_string())?.into_iter().flatten();
    let draft = files.into_iter().find(|it| it.content.contains(request.sql.trim()));
    let draft =
        draft.ok_or("this framework's files cannot be drafted: write the migration with its own tool")?;
    let path = match folder.path.as_str() {
        "" => draft.path,
        path => format!("{path}/{}", draft.path),
    };
    Ok((path, draft.content))
}

/// The folder that is named, or the only one.
pub fn folder<'a>(project: &'a Project, wanted: Option<&str>) -> Told<&'a Folder> {
    let known: Vec<&Folder> = project.folders.iter().filter(|it| analysis::is_analysed(it)).collect();
    let names = || known.iter().map(|it| it.path.as_str()).collect::<Vec<_>>().join(", ");
    let wanted = wanted.map(|it| it.trim_end_matches('/'));
    match known
        .iter()
        .filter(|it| wanted.is_none_or(|wanted| wanted == it.path))
        .collect::<Vec<_>>()
        .as_slice()
    {
        [folder] => Ok(folder),
        [] if known.is_empty() => {
            Err("the project has no folder of PostgreSQL migrations in SQL files".to_owned())
        }
        [] => {
            Err(format!("the project has no such folder of PostgreSQL migrations: name one of {}", names()))
        }
        _ => Err(format!("there are several folders of migrations; name one as `folder`: {}", names())),
    }
}
