//! Prompts: how a human begins the work with an agent, each the calls in order and what is not to be done.

use lockkeeper_project::secret::redact;
use rmcp::model::{Prompt, PromptArgument};
use serde_json::{Map, Value};

use crate::wire::visible;
use crate::world::Told;

/// A prompt, with the names of its arguments between braces.
struct Written {
    name: &'static str,
    about: &'static str,
    arguments: &'static [(&'static str, &'static str)],
    text: &'static str,
}

static PROMPTS: &[Written] = &[
    Written {
        name: "plan_change",
        about: "Plan a change of the schema, from its SQL to approved files",
        arguments: &[("change", "what is to change, in words or SQL")],
        text: "Plan this change of the database's schema with Lockkeeper: {change}\n\n\
               1. describe_schema for the tables that it touches; write the change as plain SQL, as if nobody used the database.\n\
               2. draft_plan with that SQL. Where questions stop it, answer_questions asks me; do not guess.\n\
               3. Show me the strategies, the recommendation with its reasons, and what the application must change in each release; \
               find_references names the places.\n\
               4. When I agree, request_approval. Then write_migrations and write_report.\n\n\
               Do not write migration files yourself, and run nothing against a database.",
    },
    Written {
        name: "review_migration",
        about: "Review a migration: what it locks, whom it breaks, what to do instead",
        arguments: &[("file", "the migration, relative to the project's root")],
        text: "Review the migration {file} with Lockkeeper.\n\n\
               1. analyze_migration; explain for the rules that it names.\n\
               2. find_references for what it renames, drops or changes the type of.\n\
               3. Where it is dangerous, propose_strategies, and compare them for me.\n\n\
               Name each hazard with its line and consequence, and what could not be read. Change nothing.",
    },
    Written {
        name: "next_step",
        about: "Carry out the next step of a plan: the application's changes that are due",
        arguments: &[("plan", "the plan's id")],
        text: "Go on with plan {plan} of Lockkeeper.\n\n\
               1. get_plan: which files and gates there are. gate_status: whether it waits for me.\n\
               2. Of the releases, the first that is not done is due: find_references names the places; make these changes in the application, and \
               no later ones.\n\
               3. Tell me which files may be deployed before this release and which must wait for it.\n\n\
               Run nothing against a database: people deploy.",
    },
    Written {
        name: "write_report",
        about: "Write the report of a plan",
        arguments: &[("plan", "the plan's id")],
        text: "Write the report of plan {plan} of Lockkeeper: gate_status, request_approval where the gate is closed, then write_report. Tell me where it \
               stands and what in it needs a decision of mine.",
    },
];

/// What a human writes into a prompt is shorter.
const LONGEST: usize = 8_000;

pub fn list() -> Vec<Prompt> {
    let argument = |(name, about): &(&str, &str)| {
        PromptArgument::new(*name).with_description(*about).with_required(true)
    };
    let prompt = |it: &Written| {
        Prompt::new(it.name, Some(it.about), Some(it.arguments.iter().map(argument).collect()))
    };
    PROMPTS.iter().map(prompt).collect()
}

/// The text of a prompt and what it is about. What the human gave stands where it belongs, and nothing else is filled in.
pub fn get(name: &str, given: Option<&Map<String, Value>>) -> Told<(&'static str, String)> {
    let known = || PROMPTS.iter().map(|it| it.name).collect::<Vec<_>>().join(", ");
    let prompt = PROMPTS
        .iter()
        .find(|it| it.name == name)
        .ok_or_else(|| format!("there is no such prompt; there are {}", known()))?;
    let mut text = prompt.text.to_owned();
    for (argument, about) in prompt.arguments {
        let value = given.and_then(|it| it.get(*argument)).and_then(Value::as_str).map(str::trim);
        let value =
            value.filter(|it| !it.is_empty()).ok_or_else(|| format!("{name} needs `{argument}`: {about}"))?;
        let end = value.floor_char_boundary(value.len().min(LONGEST));
        text = text.replace(&format!("{{{argument}}}"), &visible(&redact(&value[..end])));
    }
    Ok((prompt.about, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_given_stands_in_the_text() {
        for prompt in PROMPTS {
            let given: Map<String, Value> = prompt
                .arguments
                .iter()
                .map(|(name, _)| ((*name).to_owned(), json!("GIVEN {plan}")))
                .collect();
            let (_, text) = get(prompt.name, Some(&given)).expect("is a prompt");
            assert!(text.contains("GIVEN {plan}"), "{text}");
            assert!(get(prompt.name, None).is_err());
        }
        assert!(get("other", None).is_err());
    }
}
