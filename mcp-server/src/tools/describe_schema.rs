//! The tool `describe_schema`: what it takes, what it answers, and how.

use lockkeeper_core::report::{SchemaReport, schema_report};
use lockkeeper_core::text::sanitise;
use lockkeeper_project::analysis::History;
use schemars::JsonSchema;
use serde::Deserialize;

use super::draft_plan::folder;
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
    let folder = folder(&project, request.folder.as_deref())?;
    let history = History::replay(&project, folder);
    let mut report = schema_report(history.after(), &history.target);
    if let Some(tables) = &request.tables {
        let known: Vec<String> = report.tables.iter().map(|it| it.name.clone()).collect();
        // `public` is where tables are that name no schema.
        let plain = |it: &String| it.strip_prefix("public.").unwrap_or(it).to_owned();
        let wanted: Vec<String> = tables.iter().map(plain).collect();
        if let Some(missing) = wanted.iter().find(|it| !known.iter().any(|known| plain(known) == **it)) {
            return Err(format!(
                "there is no table {} in {}; {}",
                sanitise(missing, 100),
                folder.path,
                nearest(missing, &known)
            ));
        }
        report.tables.retain(|table| wanted.contains(&plain(&table.name)));
    }
    Ok(report)
}

/// Names that are almost the one that was given.
pub fn nearest(name: &str, known: &[String]) -> String {
    let mut by_distance: Vec<(usize, &String)> =
        known.iter().map(|it| (strsim::osa_distance(&start(name), it), it)).collect();
    by_distance.sort();
    match by_distance.iter().take(5).map(|(_, it)| it.as_str()).collect::<Vec<_>>().as_slice() {
        [] => "the migrations make none".to_owned(),
        names => format!("the nearest are {}", names.join(", ")),
    }
}

/// As much of a name as names have: the comparison takes as long as both are together.
fn start(name: &str) -> String {
    name.chars().take(64).collect()
}
