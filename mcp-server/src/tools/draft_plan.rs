//! The tool `draft_plan`: what it takes, what it answers, and how.

use lockkeeper_core::framework::{self, NewMigration};
use lockkeeper_project::Project;
use lockkeeper_project::analysis;
use lockkeeper_project::folder::Folder;
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
    let project = world.project()?;
    let folder = folder(&project, request.folder.as_deref())?;
    let named = timestamp();
    let new = NewMigration {
        name: &request.name,
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
    let text = draft.content;
    answer(World::plan_draft(project, &path, text.clone(), request.strategy.as_deref(), named)?, Some(&text))
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
