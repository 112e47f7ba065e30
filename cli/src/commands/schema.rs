//! `lockkeeper schema`: the schema that migrations make, without a database.

use lockkeeper_core::catalog::Catalog;
use lockkeeper_core::catalog::compare::{Aspect, Difference};
use lockkeeper_core::report::{SchemaReport, TableReport, schema_report};
use lockkeeper_core::text::sanitise;
use lockkeeper_project::Project;
use lockkeeper_project::analysis::{self, History};
use lockkeeper_project::database::Database;
use lockkeeper_project::drift::{Drift, drift};
use lockkeeper_project::folder::Folder;
use schemars::JsonSchema;
use serde::Serialize;

use crate::args::{Format, SchemaArgs};
use crate::exit::{Exit, usage};
use crate::{output, place};

pub fn run(args: &SchemaArgs) -> anyhow::Result<Exit> {
    let project = place::project(&args.path)?;
    let inside = project.relative(&place::absolute(&args.path));
    let mut folders: Vec<&Folder> = project.folders.iter().filter(|it| analysis::is_analysed(it)).collect();
    if folders.iter().any(|folder| folder.path == inside) {
        folders.retain(|folder| folder.path == inside);
    }
    let Some(folder) = folders.first() else {
        if let Some(dump) = project.dumps.first() {
            return self::dump(args, &project, &dump.path);
        }
        return Err(usage(format!(
            "{} holds no migrations for PostgreSQL that we know",
            project.root.display()
        )));
    };
    if folders.len() > 1 {
        let names: Vec<&str> = folders.iter().map(|it| it.path.as_str()).collect();
        return Err(usage(format!(
            "there are several folders of migrations; name one: {}",
            names.join(", ")
        )));
    }
    if let Some(name) = &args.against_server {
        return against_server(args, &project, folder, name);
    }
    let history = History::replay(&project, folder);
    let catalog = at(&history, folder, args.at.as_deref())?;
    let report = schema_report(catalog, &history.target);
    match args.format {
        Format::Json => output::json(&report)?,
        Format::Text => output::text_line(&in_words(&report)),
    }
    Ok(Exit::Fine)
}

/// What a server has otherwise than its migrations make it.
#[derive(Serialize, JsonSchema)]
pub struct DriftAnswer {
    /// Always 1; fields are added, never changed.
    version: u32,
    /// The folder of migrations.
    folder: String,
    /// How many migrations the server has not run yet; `null` where nothing there says which, so that all count as run.
    pending: Option<usize>,
    /// Whether the history makes all that there is: else what only the server has is no difference.
    complete: bool,
    /// What differs.
    differences: Vec<DriftReport>,
}

/// One thing that differs.
#[derive(Serialize, JsonSchema)]
struct DriftReport {
    /// What it is about: `column users.name`.
    object: String,
    /// What of it differs.
    aspect: String,
    /// What the server has; `null`: nothing.
    server: Option<String>,
    /// What the migrations make; `null`: nothing.
    migrations: Option<String>,
}

impl From<&Difference> for DriftReport {
    fn from(it: &Difference) -> Self {
        Self {
            object: it.object.to_string(),
            aspect: it.aspect.to_string(),
            server: it.ours.clone(),
            migrations: it.theirs.clone(),
        }
    }
}

fn against_server(args: &SchemaArgs, project: &Project, folder: &Folder, name: &str) -> anyhow::Result<Exit> {
    let database = Database::named(name).map_err(|error| usage(error.to_string()))?;
    let drift = drift(project, folder, &database)?;
    match args.format {
        Format::Json => output::json(&DriftAnswer {
            version: 1,
            folder: folder.path.clone(),
            pending: drift.pending,
            complete: drift.complete,
            differences: drift.differences.iter().map(DriftReport::from).collect(),
        })?,
        Format::Text => output::text_line(&drift_in_words(&drift)),
    }
    Ok(if drift.differences.is_empty() { Exit::Fine } else { Exit::Hazards })
}

fn drift_in_words(drift: &Drift) -> String {
    let mut lines: Vec<String> = drift.differences.iter().map(of_difference).collect();
    let run = match drift.pending {
        None => "nothing in the database says which migrations have run, so all were taken".to_owned(),
        Some(0) => "all migrations have run".to_owned(),
        Some(count) => format!("{count} migrations have not run yet, and were left out"),
    };
    let gaps =
        if drift.complete { "" } else { "; the history has gaps, so what only the server has was left out" };
    lines.push(format!("{} differences; {run}{gaps}", drift.differences.len()));
    lines.join("\n")
}

fn of_difference(it: &Difference) -> String {
    let (object, aspect) = (sanitise(&it.object.to_string(), 200), &it.aspect);
    let said = |it: &Option<String>| it.as_ref().map_or("nothing".to_owned(), |it| sanitise(it, 200));
    match (&it.aspect, &it.ours) {
        (Aspect::Existence, Some(_)) => format!("{object} is on the server, and no migration makes it"),
        (Aspect::Existence, None) => format!("{object} is missing on the server"),
        _ => format!(
            "{object}: {aspect} is {} on the server, and {} by the migrations",
            said(&it.ours),
            said(&it.theirs)
        ),
    }
}

/// The schema that a dump makes.
fn dump(args: &SchemaArgs, project: &lockkeeper_project::Project, path: &str) -> anyhow::Result<Exit> {
    let text = project.read(path).ok_or_else(|| usage(format!("{path} cannot be read")))?;
    let target = lockkeeper_project::target::target_alone(project, path);
    let mut catalog = Catalog::empty(target.dialect);
    let span = lockkeeper_core::text::Span::new(0, text.len());
    let transaction = lockkeeper_core::framework::Transaction::Autocommit;
    let part = lockkeeper_core::check::Part { text: &text, span, transaction };
    lockkeeper_core::check::replay(part, &target, &mut catalog);
    let report = schema_report(&catalog, &target);
    match args.format {
        Format::Json => output::json(&report)?,
        Format::Text => output::text_line(&in_words(&report)),
    }
    Ok(Exit::Fine)
}

fn at<'a>(history: &'a History, folder: &Folder, at: Option<&str>) -> anyhow::Result<&'a Catalog> {
    let Some(at) = at else { return Ok(history.after()) };
    let found = folder.migrations.iter().position(|migration| {
        let file = |path: &str| path == at || path.ends_with(&format!("/{at}"));
        migration.version.text == at
            || migration.name == at
            || migration.files.iter().any(|it| file(&it.path))
    });
    let index = found.ok_or_else(|| usage(format!("{} holds no migration {at}", folder.path)))?;
    Ok(history.after_migration(index))
}

fn in_words(report: &SchemaReport) -> String {
    let mut lines = Vec::new();
    for table in &report.tables {
        lines.extend(self::table(table));
    }
    for view in &report.views {
        let kind = if view.materialized { "materialized view" } else { "view" };
        lines.push(format!("{kind} {} reads {}", view.name, view.reads.join(", ")));
    }
    for ty in &report.types {
        lines.push(format!("{} {} {}", ty.kind, ty.name, ty.labels.join(", ")).trim_end().to_owned());
    }
    let gaps = if report.complete { "" } else { "; the history has gaps: other objects may exist" };
    lines.push(format!(
        "{} tables, {} views, {} types{gaps}",
        report.tables.len(),
        report.views.len(),
        report.types.len()
    ));
    lines.join("\n")
}

fn table(table: &TableReport) -> Vec<String> {
    let uncertain =
        if table.uncertain { "  (uncertain: a statement about it could not be read)" } else { "" };
    let mut lines = vec![format!("table {}{uncertain}", table.name)];
    for column in &table.columns {
        let not_null = if column.not_null { " NOT NULL" } else { "" };
        let default = column.default.as_ref().map(|it| format!(" DEFAULT {it}")).unwrap_or_default();
        let identity = if column.identity { " IDENTITY" } else { "" };
        lines.push(format!("  {} {}{not_null}{default}{identity}", column.name, column.ty));
    }
    for constraint in &table.constraints {
        let valid = if constraint.valid { "" } else { " NOT VALID" };
        lines.push(format!(
            "  constraint {} {} ({}){valid}",
            constraint.name, constraint.kind, constraint.definition
        ));
    }
    for index in &table.indexes {
        let unique = if index.unique { "unique " } else { "" };
        let valid = if index.valid { "" } else { " INVALID" };
        lines.push(format!("  {unique}index {} ({}){valid}", index.name, index.keys.join(", ")));
    }
    lines.push(String::new());
    lines
}
