//! What follows after an answer that does not say it itself.

use serde_json::Value;

/// For a model: the next call, or what to tell the human.
pub fn next(tool: &str, answer: &Value) -> Option<String> {
    let is_empty = |key: &str| answer.get(key).and_then(Value::as_array).is_none_or(Vec::is_empty);
    let told = match tool {
        "gather_signals" if is_empty("open") => {
            "for a new change call draft_plan; for a migration that is a file, propose_strategies"
        }
        "gather_signals" => {
            "questions are open: list_questions tells which stop a plan, answer_questions asks your human; draft_plan or propose_strategies go on"
        }
        "analyze_migration" => match answer.get("verdict").and_then(Value::as_str) {
            Some("pass") => "tell your human that nothing dangerous was found; rehearse shows it on a server",
            Some("unread") => "tell your human what could not be read and the way out: this is no pass",
            _ => {
                "call propose_strategies with this file for safe steps; explain has the page of each rule; do not edit the migration to hide a hazard"
            }
        },
        "find_references" if is_empty("references") => {
            "nothing in this repository names it; other applications are not looked at: ask your human about them"
        }
        "find_references" => {
            "change these places in the release that the plan names, and not before: write_migrations says which"
        }
        "describe_schema" => "call draft_plan with the SQL of your change",
        _ => return None,
    };
    Some(told.to_owned())
}
