//! The tool `explain`: what it takes, what it answers, and how.

use lockkeeper_core::hazards::{self, RULES, page};
use lockkeeper_core::recipes::{self, RECIPES};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::world::{Told, World};

/// What to explain.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Request {
    /// A rule or a recipe; without it, all are listed.
    pub name: Option<String>,
    /// `next_cursor` of the answer before, to read on.
    #[serde(default)]
    #[allow(dead_code, reason = "the wire reads it")]
    pub cursor: Option<String>,
}

/// The page, or the list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Response {
    /// The page in Markdown.
    pub page: Option<String>,
    /// Rules and recipes, each with its first sentence.
    pub names: Vec<Named>,
}

/// A rule or recipe.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// `rule` or `recipe`.
    pub kind: String,
    /// Its first sentence.
    pub summary: String,
}

pub fn run(_: &World, request: &Request) -> Told<Response> {
    let Some(name) = &request.name else {
        return Ok(Response { page: None, names: names() });
    };
    let page =
        hazards::by_id(name).map(|rule| rule.page).or_else(|| recipes::by_id(name).map(|recipe| recipe.page));
    match page {
        Some(page) => Ok(Response { page: Some(page.to_owned()), names: Vec::new() }),
        None => Err(format!("nothing is called {name}: call explain without a name for the list")),
    }
}

fn names() -> Vec<Named> {
    let named = |name: &str, kind: &str, text: &str| Named {
        name: name.to_owned(),
        kind: kind.to_owned(),
        summary: page::summary(text).to_owned(),
    };
    let rules = RULES.iter().map(|rule| named(rule.id, "rule", rule.page));
    rules.chain(RECIPES.iter().map(|recipe| named(recipe.id, "recipe", recipe.page))).collect()
}
