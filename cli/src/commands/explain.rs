//! `lockkeeper explain`: the page of a rule, recipe or framework.

use lockkeeper_core::framework::{FRAMEWORKS, Framework};
use lockkeeper_core::hazards::{RULES, page};
use lockkeeper_core::recipes::RECIPES;
use lockkeeper_core::{hazards, recipes};

use crate::args::ExplainArgs;
use crate::exit::{Exit, usage};
use crate::output;

pub fn run(args: &ExplainArgs) -> anyhow::Result<Exit> {
    let text = match &args.name {
        None => list(),
        Some(name) => explain(name).ok_or_else(|| {
            usage(format!("nothing is called {name}: `lockkeeper explain` lists what there is"))
        })?,
    };
    output::text_line(text.trim_end());
    Ok(Exit::Fine)
}

fn explain(name: &str) -> Option<String> {
    if let Some(rule) = hazards::by_id(name) {
        return Some(format!("{}\n(rule {}, {})\n", rule.page.trim_end(), rule.id, rule.severity.id()));
    }
    if let Some(recipe) = recipes::by_id(name) {
        return Some(format!("{}\n(recipe {})\n", recipe.page.trim_end(), recipe.id));
    }
    Framework::by_id(name).map(framework)
}

fn framework(framework: &Framework) -> String {
    let mut text = format!("# {}\n\nRecognised by {}\n", framework.title, framework.recognised_by);
    text.push_str(&format!("Statements reach the server: {:?}\n", framework.transaction));
    text.push_str(&format!("Leaves its transaction: {:?}\n", framework.opt_out));
    for cannot in framework.cannot {
        text.push_str(&format!("Cannot: {cannot}\n"));
    }
    text.push_str(&format!("Source: {}\n", framework.manual));
    text
}

fn list() -> String {
    let mut text = "Rules\n".to_owned();
    for rule in RULES {
        text.push_str(&format!("  {:28} {}\n", rule.id, page::summary(rule.page)));
    }
    text.push_str("\nRecipes\n");
    for recipe in RECIPES {
        text.push_str(&format!("  {:28} {}\n", recipe.id, page::summary(recipe.page)));
    }
    text.push_str("\nFrameworks\n");
    for framework in FRAMEWORKS {
        text.push_str(&format!("  {:28} {}\n", framework.id, framework.title));
    }
    text
}
