//! What a client can show its human or give its model without a tool: plans, reports, the ledger, the catalog, pages.

use lockkeeper_approval::books::Books;
use lockkeeper_approval::plan::{PlanId, Store};
use lockkeeper_approval::shown::{self, Room};
use lockkeeper_core::hazards::{self, RULES};
use lockkeeper_core::recipes::{self, RECIPES};
use lockkeeper_core::report::schema_report;
use lockkeeper_core::text::sanitise;
use lockkeeper_project::analysis::{History, is_analysed};
use lockkeeper_project::secret::redact;
use rmcp::model::{Resource, ResourceTemplate};

use crate::gate;
use crate::tools::draft_plan::folder;
use crate::wire::visible;
use crate::world::{Told, World, now};

/// A kind of resource: `lockkeeper://KIND/NAME`.
struct Kind {
    name: &'static str,
    /// What stands for the name in a template.
    variable: &'static str,
    media: &'static str,
    about: &'static str,
}

const MARKDOWN: &str = "text/markdown";
const JSON: &str = "application/json";

static KINDS: &[Kind] = &[
    Kind {
        name: "plan",
        variable: "plan",
        media: "text/plain",
        about: "A stored plan as the human reads it before approving: every statement",
    },
    Kind { name: "report", variable: "plan", media: MARKDOWN, about: "The report of a stored plan" },
    Kind {
        name: "catalog",
        variable: "folder",
        media: JSON,
        about: "The schema that the migrations of a folder make",
    },
    Kind { name: "rule", variable: "name", media: MARKDOWN, about: "The page of a rule" },
    Kind { name: "recipe", variable: "name", media: MARKDOWN, about: "The page of a recipe" },
];

const LEDGER: &str = "lockkeeper://ledger";
/// As long as an answer of a tool.
const LONGEST: usize = 24_000;

fn address(kind: &str, name: &str) -> String {
    format!("lockkeeper://{kind}/{name}")
}

/// All that can be read now, but the pages: `templates` has those.
pub fn list(world: &World) -> Told<Vec<Resource>> {
    let project = world.project()?;
    let mut found = Vec::new();
    let about = |kind: &str| KINDS.iter().find(|it| it.name == kind).expect("it stands in the table");
    let mut add = |kind: &str, name: &str, title: String| {
        let about = about(kind);
        let resource = Resource::new(address(kind, name), format!("{kind} {name}"));
        found.push(resource.with_title(title).with_description(about.about).with_mime_type(about.media));
    };
    let store = Store::of(&project).map_err(|error| error.to_string())?;
    for id in store.ids().map_err(|error| error.to_string())? {
        let Ok(plan) = store.load(&id) else { continue };
        let subject = sanitise(&plan.subject, 120);
        add("plan", &id.to_string(), format!("Plan of {subject}"));
        add("report", &id.to_string(), format!("Report of {subject}"));
    }
    for folder in project.folders.iter().filter(|it| is_analysed(it)) {
        add("catalog", &folder.path, format!("Schema of {}", folder.path));
    }
    found.push(
        Resource::new(LEDGER, "ledger")
            .with_title("Ledger")
            .with_description("What was asked, approved, used, and written unattended")
            .with_mime_type(JSON),
    );
    Ok(found)
}

pub fn templates() -> Vec<ResourceTemplate> {
    let template = |kind: &Kind| {
        ResourceTemplate::new(address(kind.name, &format!("{{{}}}", kind.variable)), kind.name)
            .with_description(kind.about)
            .with_mime_type(kind.media)
    };
    KINDS.iter().map(template).collect()
}

/// The text of a resource and its media type.
pub fn read(world: &World, uri: &str) -> Told<(String, &'static str)> {
    let unknown =
        || format!("there is no resource {}; resources/list and its templates have them", sanitise(uri, 200));
    if uri == LEDGER {
        return Ok((cut(visible(&redact(&ledger(world)?))), JSON));
    }
    let (kind, name) =
        uri.strip_prefix("lockkeeper://").and_then(|it| it.split_once('/')).ok_or_else(unknown)?;
    let kind = KINDS.iter().find(|it| it.name == kind).ok_or_else(unknown)?;
    let text = match kind.name {
        "plan" => {
            let stored = world.stored(name)?;
            shown::text(&stored.plan, gate::content(&stored.plan)?, None, Room::Terminal)
        }
        "report" => {
            let id = PlanId::parse(name).map_err(|error| error.to_string())?;
            let project = world.project()?;
            let documents =
                Store::of(&project).and_then(|it| it.documents(&id)).map_err(|error| error.to_string())?;
            documents
                .into_iter()
                .find(|(path, _)| path.ends_with(".md"))
                .map(|(_, it)| it)
                .ok_or_else(unknown)?
        }
        "catalog" => {
            let project = world.project()?;
            let history = History::replay(&project, folder(&project, Some(name))?);
            serde_json::to_string(&schema_report(history.after(), &history.target))
                .map_err(|error| error.to_string())?
        }
        "rule" => hazards::by_id(name).map(|it| it.page.to_owned()).ok_or_else(unknown)?,
        _ => recipes::by_id(name).map(|it| it.page.to_owned()).ok_or_else(unknown)?,
    };
    Ok((cut(visible(&redact(&text))), kind.media))
}

fn ledger(world: &World) -> Told<String> {
    let project = world.project()?;
    let books = Books::of(&project).map_err(|error| error.to_string())?;
    let entries = books.ledger.entries(now()).map_err(|error| error.to_string())?;
    let lines: Vec<String> = entries.iter().map(|it| it.line()).collect();
    // The latest lines are what is asked for.
    let mut from = lines.len();
    let mut length = 0;
    while from > 0 && length + lines[from - 1].len() < LONGEST {
        from -= 1;
        length += lines[from].len();
    }
    Ok(lines[from..].concat())
}

fn cut(text: String) -> String {
    if text.len() <= LONGEST {
        return text;
    }
    let end = text.floor_char_boundary(LONGEST);
    let rest = text[end..].chars().count();
    format!("{}\n… ({rest} characters more: the tools read on in pages)", &text[..end])
}

/// Values for a variable of a template or an argument of a prompt that begin as what was typed.
pub fn completions(world: &World, argument: &str, typed: &str) -> Told<Vec<String>> {
    let all: Vec<String> = match argument {
        "plan" => {
            let project = world.project()?;
            let ids = Store::of(&project).and_then(|it| it.ids()).map_err(|error| error.to_string())?;
            ids.iter().map(ToString::to_string).collect()
        }
        "folder" => world.project()?.folders.iter().map(|it| it.path.clone()).collect(),
        "file" => {
            let project = world.project()?;
            let migrations = project.folders.iter().flat_map(|it| &it.migrations).flat_map(|it| &it.files);
            let mut paths: Vec<String> = migrations.map(|it| it.path.clone()).collect();
            // The newest first: that is the one that is worked on.
            paths.reverse();
            paths
        }
        "name" => {
            RULES.iter().map(|it| it.id).chain(RECIPES.iter().map(|it| it.id)).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    };
    let fits = |it: &String| it.starts_with(typed) || !typed.is_empty() && it.contains(typed);
    Ok(all.into_iter().filter(fits).take(100).collect())
}
