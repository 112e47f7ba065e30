//! The tool `describe_schema`: what it takes, what it answers, and how.

use lockkeeper_core::report::{SchemaReport, schema_report};
use lockkeeper_project::analysis::{self, History};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::world::{Told, World};

/// Which folder, and which tables.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Request {
    /// The folder of migrations, where the project has several.
    pub folder: Option<String>,
    /// Only these tables.
    pub tables: Option<Vec<String>>,
    /// `next_cursor` of the answer before, to read on.
    #[serde(default)]
    #[allow(dead_code, reason = "the wire reads it")]
    pub cursor: Option<String>,
}

pub fn run(world: &World, request: &Request) -> Told<SchemaReport> {
    let project = world.project()?;
    let known: Vec<_> = project.folders.iter().filter(|it| analysis::is_analysed(it)).collect();
    let wanted = |path: &str| request.folder.as_ref().is_none_or(|it| it == path);
    let folders: Vec<_> = known.iter().filter(|it| wanted(&it.path)).collect();
    let folder = match folders.as_slice() {
        [folder] => folder,
        [] => return Err("the project has no such folder of PostgreSQL migrations".to_owned()),
        several => {
            let names: Vec<&str> = several.iter().map(|it| it.path.as_str()).collect();
            return Err(format!("there are several folders of migrations; name one: {}", names.join(", ")));
        }
    };
    let history = History::replay(&project, folder);
    let mut report = schema_report(history.after(), &history.target);
    if let Some(tables) = &request.tables {
        report.tables.retain(|table| tables.contains(&table.name));
    }
    Ok(report)
}
