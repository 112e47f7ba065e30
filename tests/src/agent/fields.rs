//! Each field of each tool, prompt and resource, with each hostile text in it.

use std::os::unix::fs::symlink;
use std::process::Command;

use serde_json::{Map, Value, json};

use super::MIGRATION;
use super::client::{Agent, Era};
use super::hostile::{is_visible, texts};
use super::workspace::{CANARY, Workspace, plan, status};

/// What a tool answers may be a little longer than its limit, since what is left out is told beside it.
const LONGEST: usize = 26_000;

/// A field of a tool's call: where it stands, and the other fields that the call needs.
struct Field {
    tool: String,
    name: String,
    is_list: bool,
    /// No tool has a field of this name.
    is_unknown: bool,
    others: Map<String, Value>,
}

#[test]
fn no_hostile_text_in_any_field_gets_anywhere() {
    let tried: usize = std::thread::scope(|scope| {
        let eras = [Era::Initialize, Era::Stateless].map(|era| scope.spawn(move || every_field(era)));
        eras.into_iter().map(|it| it.join().expect("no text comes through")).sum()
    });
    println!("{tried} calls with a hostile text in a field, 0 got anywhere");
    assert!(tried > 3_000, "{tried}");
}

fn every_field(era: Era) -> usize {
    let workspace = Workspace::new();
    set_traps(&workspace);
    let before = workspace.files();
    let mut agent = workspace.agent(era);
    let plan = plan(&mut agent);
    let outside = workspace.base().join("outside").display().to_string();
    let fields = fields(&mut agent, &plan);
    assert!(fields.len() > 35, "{}", fields.len());
    let mut tried = 0;
    // Half of the texts in each era: both together try all, and neither reads what a call means.
    for (turn, text) in texts(&outside).iter().enumerate() {
        for field in &fields {
            // What an agent would claim is tried in both, also in fields that no tool has.
            let is_claim = text.contains("approved");
            // All cursors are read in one place, and what has neither of these is none.
            if field.name == "cursor" && !text.contains([':', '/']) {
                continue;
            }
            if !is_claim && (turn % 2 == usize::from(era == Era::Stateless) || field.is_unknown) {
                continue;
            }
            let place = format!("{}.{} = {:.60?} ({era:?})", field.tool, field.name, text);
            let answer = agent.call(&field.tool, field.with(text));
            is_harmless(&answer, text, &place);
            tried += 1;
        }
        tried += beside_tools(&mut agent, text);
        workspace.is_as(&before, &format!("{text:.60?}"));
    }
    assert_eq!(status(&agent.call("gate_status", json!({"plan": plan}))), "approval_required");
    assert_eq!((workspace.told("approved"), workspace.told("used"), workspace.told("unattended")), (0, 0, 0));
    assert!(workspace.verifies());
    tried
}

/// What an agent could have put into the project, to be reached through.
fn set_traps(workspace: &Workspace) {
    let (project, outside) = (workspace.project(), workspace.base().join("outside"));
    symlink(&outside, project.join("link")).expect("can be made");
    symlink(outside.join("secret.sql"), project.join("linked.sql")).expect("can be made");
    let made = Command::new("mkfifo").arg(project.join("pipe")).status().expect("is there");
    assert!(made.success());
}

/// From the schemas that the server lists: a tool that is added is attacked without being named here.
fn fields(agent: &mut Agent, plan: &str) -> Vec<Field> {
    let listed = agent.request("tools/list", json!({})).expect("it lists its tools");
    let mut fields = Vec::new();
    for tool in listed["result"]["tools"].as_array().expect("a list") {
        let (name, schema) = (tool["name"].as_str().expect("a name"), &tool["inputSchema"]);
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let empty = Map::new();
        let known = schema["properties"].as_object().unwrap_or(&empty);
        let names = known.keys().map(String::as_str).chain(["approved", "cwd"]);
        for field in names {
            let others = required.iter().filter(|it| **it != field);
            let others = others.map(|it| ((*it).to_owned(), good((name, field), it, plan))).collect();
            let is_list = known.get(field).is_some_and(|it| it["type"] == "array");
            let is_unknown = !known.contains_key(field);
            fields.push(Field { tool: name.to_owned(), name: field.to_owned(), is_list, is_unknown, others });
        }
    }
    fields
}

/// A value that the tool takes for a field.
fn good((tool, attacked): (&str, &str), field: &str, plan: &str) -> Value {
    match field {
        "plan" => plan.into(),
        // A rehearsal of a migration takes seconds; what is no migration is refused at once.
        "file" if tool == "rehearse" && attacked != "strategy" => "src/users.ts".into(),
        "file" => MIGRATION.into(),
        "table" => "users".into(),
        "sql" => "ALTER TABLE users ADD note text;".into(),
        "operation" => 1.into(),
        "name" => "x".into(),
        other => panic!("{tool} needs {other}: write here what it takes"),
    }
}

impl Field {
    fn with(&self, text: &str) -> Value {
        let mut arguments = self.others.clone();
        let value = if self.is_list { json!([text]) } else { text.into() };
        arguments.insert(self.name.clone(), value);
        arguments.into()
    }
}

/// Resources, prompts and completions take texts too.
fn beside_tools(agent: &mut Agent, text: &str) -> usize {
    let reference = json!({"type": "ref/prompt", "name": "review_migration"});
    let requests = [
        ("resources/read", json!({"uri": text})),
        ("resources/read", json!({"uri": format!("lockkeeper://catalog/{text}")})),
        ("resources/read", json!({"uri": format!("lockkeeper://report/{text}")})),
        ("prompts/get", json!({"name": "review_migration", "arguments": {"file": text}})),
        ("prompts/get", json!({"name": text})),
        ("completion/complete", json!({"ref": reference, "argument": {"name": "file", "value": text}})),
        ("completion/complete", json!({"ref": reference, "argument": {"name": text, "value": ""}})),
        ("tools/call", json!({"name": text, "arguments": {}})),
    ];
    let tried = requests.len();
    for (method, params) in requests {
        let answer =
            agent.request(method, params).unwrap_or_else(|gone| panic!("{method} {text:.60?}: {gone:?}"));
        is_harmless(&answer, text, &format!("{method} with {text:.60?}"));
    }
    tried
}

/// It opens nothing, holds nothing from outside, is short, and can be looked at.
#[track_caller]
fn is_harmless(answer: &Value, text: &str, place: &str) {
    assert!(!matches!(status(answer), "written" | "approved" | "open"), "{place}: {answer}");
    let said = answer.to_string();
    assert!(said.len() <= LONGEST, "{place}: {} bytes", said.len());
    for secret in [CANARY, "root:x:0", "hunter2", "LOCKKEEPER_STATE_DIR="] {
        assert!(!said.contains(secret), "{place}: {said:.600}");
    }
    let mut shown = Vec::new();
    strings(answer, &mut shown);
    let raw = shown.iter().find(|it| !is_visible(it));
    assert!(raw.is_none(), "{place}: {raw:?} of {text:.60?}");
}

fn strings<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|it| strings(it, found)),
        Value::Object(members) => {
            for (key, member) in members {
                found.push(key);
                strings(member, found);
            }
        }
        _ => {}
    }
}
