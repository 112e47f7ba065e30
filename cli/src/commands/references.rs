//! `lockkeeper references`: who reads or writes a table or column.

use lockkeeper_core::report::ReferenceReport;
use lockkeeper_core::text::sanitise;
use lockkeeper_project::references::references;
use schemars::JsonSchema;
use serde::Serialize;

use crate::args::{Format, ReferencesArgs};
use crate::exit::{Exit, usage};
use crate::{output, place};

#[derive(Serialize, JsonSchema)]
pub struct Answer {
    version: u32,
    table: String,
    column: Option<String>,
    references: Vec<ReferenceReport>,
    skipped: Vec<Skipped>,
}

#[derive(Serialize, JsonSchema)]
struct Skipped {
    path: String,
    reason: String,
}

pub fn run(args: &ReferencesArgs) -> anyhow::Result<Exit> {
    let (table, column) = match args.name.split('.').collect::<Vec<_>>().as_slice() {
        [table] if !table.is_empty() => ((*table).to_owned(), None),
        [table, column] if !table.is_empty() && !column.is_empty() => {
            ((*table).to_owned(), Some((*column).to_owned()))
        }
        [_, table, column] => ((*table).to_owned(), Some((*column).to_owned())),
        _ => return Err(usage(format!("{} is neither TABLE nor TABLE.COLUMN", args.name))),
    };
    let project = place::project(&args.project)?;
    let found = references(&project, &table, column.as_deref());
    let answer = Answer {
        version: 1,
        table,
        column,
        references: found.references.iter().map(ReferenceReport::from).collect(),
        skipped: found
            .skipped
            .iter()
            .map(|(path, reason)| Skipped { path: path.clone(), reason: (*reason).to_owned() })
            .collect(),
    };
    match args.format {
        Format::Json => output::json(&answer)?,
        Format::Text => show(&answer, &args.name),
    }
    Ok(Exit::Fine)
}

fn show(answer: &Answer, name: &str) {
    for it in &answer.references {
        let (path, excerpt) = (sanitise(&it.path, 200), sanitise(&it.excerpt, 100));
        output::text_line(&format!(
            "{path}:{}:{}: {} ({}): {excerpt}",
            it.line, it.column, it.kind, it.certainty
        ));
    }
    for it in &answer.skipped {
        output::text_line(&format!("{}: not searched: {}", it.path, it.reason));
    }
    let count = answer.references.len();
    output::text_line(&format!(
        "{count} places say {name}; names that are put together when the program runs are not among them"
    ));
}
