//! The forms in which hosts tell a hook what is about to be done, and in which they take its answer.
//!
//! Claude Code: https://code.claude.com/docs/en/hooks ("PreToolUse"). Codex: https://developers.openai.com/codex/hooks, and
//! `codex-rs/hooks/src/engine/output_parser.rs` in openai/codex, which takes an answer `ask` for none and lets the call through: so a question
//! is a refusal there. `json` is our own, for every other host: docs/agents.md has it.

use std::path::PathBuf;

use lockkeeper_core::text::sanitise;
use lockkeeper_project::secret::redact;
use serde_json::{Value, json};

use super::verdict::Verdict;
use crate::args::HookHost;

/// What is about to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The folder in which it is done.
    pub folder: PathBuf,
    pub deeds: Vec<Deed>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// A text for a shell.
    Shell(String),
    /// A file becomes another, or goes; with its whole new text where that is known.
    Write { path: String, text: Option<String> },
    /// A file is read.
    Read { path: String },
}

/// The longest reason that is given.
const REASON: usize = 700;

/// Reads the call. What has another form than the host's is an error, and errors close.
pub fn call(host: HookHost, input: &str) -> Result<Call, String> {
    let value: Value =
        serde_json::from_str(input).map_err(|error| format!("the call is no JSON: {error}"))?;
    let folder = text(&value, "cwd").ok_or("the call has no `cwd`")?.into();
    let deeds = match host {
        HookHost::ClaudeCode | HookHost::Codex => of_tool(&value)?,
        HookHost::Json => of_contract(&value)?,
    };
    Ok(Call { folder, deeds })
}

/// `tool_name` and `tool_input`, which both hosts have.
fn of_tool(value: &Value) -> Result<Vec<Deed>, String> {
    let tool = text(value, "tool_name").ok_or("the call has no `tool_name`")?;
    let input = value.get("tool_input").ok_or("the call has no `tool_input`")?;
    let needed = |key: &str| text(input, key).ok_or(format!("a call of {tool} has no `{key}`"));
    let write = |path: String, text: Option<String>| vec![Deed::Write { path, text }];
    Ok(match tool.as_str() {
        "Bash" | "shell" | "shell_command" | "exec_command" | "local_shell" | "PowerShell" => {
            vec![Deed::Shell(command(input).ok_or(format!("a call of {tool} has no `command`"))?)]
        }
        "apply_patch" => {
            let patch =
                text(input, "command").or_else(|| text(input, "patch")).or_else(|| text(input, "input"));
            patched(&patch.ok_or("a call of apply_patch has no patch")?)
        }
        "Write" => write(needed("file_path")?, text(input, "content")),
        "Edit" | "MultiEdit" => write(needed("file_path")?, None),
        "NotebookEdit" => write(needed("notebook_path")?, None),
        "Read" => vec![Deed::Read { path: needed("file_path")? }],
        _ => Vec::new(),
    })
}

/// A command as a text, or as its words.
fn command(input: &Value) -> Option<String> {
    let given = input.get("command").or_else(|| input.get("cmd"))?;
    match given {
        Value::String(text) => Some(text.clone()),
        Value::Array(words) => {
            let words: Option<Vec<&str>> = words.iter().map(Value::as_str).collect();
            let quoted = words?.into_iter().map(|it| format!("'{}'", it.replace('\'', "'\\''")));
            Some(quoted.collect::<Vec<_>>().join(" "))
        }
        _ => None,
    }
}

/// The files that a patch in the form of Codex writes.
pub fn patched(patch: &str) -> Vec<Deed> {
    let mut deeds: Vec<Deed> = Vec::new();
    let mut is_new = false;
    for line in patch.lines() {
        let head = |start: &str| line.strip_prefix(start).map(|it| it.trim().to_owned());
        let added = head("*** Add File:");
        let changed =
            head("*** Update File:").or_else(|| head("*** Delete File:")).or_else(|| head("*** Move to:"));
        if let Some(path) = added.clone().or(changed) {
            is_new = added.is_some();
            deeds.push(Deed::Write { path, text: is_new.then(String::new) });
        } else if let (true, Some(line), Some(Deed::Write { text: Some(text), .. })) =
            (is_new, line.strip_prefix('+'), deeds.last_mut())
        {
            text.push_str(line);
            text.push('\n');
        }
    }
    deeds
}

/// `{"version": 1, "cwd", "tool": "shell" | "write" | "read", …}`.
fn of_contract(value: &Value) -> Result<Vec<Deed>, String> {
    if value.get("version").and_then(Value::as_u64) != Some(1) {
        return Err("the call has not `\"version\": 1`".to_owned());
    }
    let needed = |key: &str| text(value, key).ok_or(format!("the call has no `{key}`"));
    match needed("tool")?.as_str() {
        "shell" => Ok(vec![Deed::Shell(needed("command")?)]),
        "write" => Ok(vec![Deed::Write { path: needed("path")?, text: text(value, "content") }]),
        "read" => Ok(vec![Deed::Read { path: needed("path")? }]),
        other => Err(format!("there is no tool {}: say shell, write or read", sanitise(other, 40))),
    }
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned)
}

/// The answer on standard output; nothing where the host's own rules shall go on.
pub fn answer(host: HookHost, verdict: &Verdict) -> Option<Value> {
    let (decision, reason) = match verdict {
        Verdict::Pass => ("pass", ""),
        Verdict::Unread(reason) | Verdict::Ask(reason) => ("ask", reason.as_str()),
        Verdict::Refuse(reason) => ("refuse", reason.as_str()),
    };
    let reason = format!("Lockkeeper: {}.", sanitise(&redact(reason), REASON));
    let in_form = |decision: &str, reason: &str| {
        json!({"hookSpecificOutput": {
            "hookEventName": "PreToolUse", "permissionDecision": decision, "permissionDecisionReason": reason,
        }})
    };
    match (host, decision) {
        (HookHost::Json, "pass") => Some(json!({"version": 1, "decision": "pass"})),
        (HookHost::Json, _) => Some(json!({"version": 1, "decision": decision, "reason": reason})),
        (_, "pass") => None,
        (HookHost::ClaudeCode, "ask") => Some(in_form("ask", &reason)),
        (HookHost::Codex, "ask") => {
            Some(in_form("deny", &format!("{reason} Only your human can do it: tell them what and why.")))
        }
        _ => Some(in_form("deny", &reason)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_the_hosts_are_read() {
        let deeds = |host, input: Value| call(host, &input.to_string()).map(|it| it.deeds);
        let tool = |name: &str, input: Value| json!({"cwd": "/p", "tool_name": name, "tool_input": input});
        let bash = tool("Bash", json!({"command": "ls"}));
        assert_eq!(deeds(HookHost::ClaudeCode, bash.clone()), Ok(vec![Deed::Shell("ls".into())]));
        assert_eq!(deeds(HookHost::Codex, bash), Ok(vec![Deed::Shell("ls".into())]));
        let words = tool("shell", json!({"command": ["bash", "-lc", "echo 'a'"]}));
        assert_eq!(
            deeds(HookHost::Codex, words),
            Ok(vec![Deed::Shell("'bash' '-lc' 'echo '\\''a'\\'''".into())])
        );
        let patch = "*** Begin Patch\n*** Add File: a.sql\n+SELECT 1;\n+\n*** Update File: b\n@@\n+x\n*** Move to: c\n*** End Patch";
        let write =
            |path: &str, text: Option<&str>| Deed::Write { path: path.into(), text: text.map(str::to_owned) };
        assert_eq!(
            deeds(HookHost::Codex, tool("apply_patch", json!({"command": patch}))),
            Ok(vec![write("a.sql", Some("SELECT 1;\n\n")), write("b", None), write("c", None)])
        );
        let edit = tool("Edit", json!({"file_path": "/p/a", "old_string": "", "new_string": ""}));
        assert_eq!(deeds(HookHost::ClaudeCode, edit), Ok(vec![write("/p/a", None)]));
        assert_eq!(deeds(HookHost::ClaudeCode, tool("WebSearch", json!({}))), Ok(Vec::new()));
        assert_eq!(
            deeds(
                HookHost::Json,
                json!({"version": 1, "cwd": "/p", "tool": "write", "path": "a", "content": "x"})
            ),
            Ok(vec![write("a", Some("x"))])
        );
    }

    #[test]
    fn what_has_another_form_is_an_error() {
        let inputs = [
            "",
            "[]",
            "{}",
            "null",
            "{\"cwd\": 1}",
            "{\"cwd\": \"/p\"}",
            "{\"cwd\": \"/p\", \"tool_name\": \"Bash\"}",
            "{\"cwd\": \"/p\", \"tool_name\": \"Bash\", \"tool_input\": {\"command\": 1}}",
            "{\"cwd\": \"/p\", \"tool_name\": \"Write\", \"tool_input\": {\"path\": \"x\"}}",
        ];
        for host in [HookHost::ClaudeCode, HookHost::Codex, HookHost::Json] {
            for input in inputs {
                assert!(call(host, input).is_err(), "{input}");
            }
        }
    }

    #[test]
    fn codex_takes_no_question_so_it_is_refused() {
        let ask = Verdict::Ask("it drops\u{1b}[2J a table".into());
        let decision =
            |host| answer(host, &ask).expect("an answer")["hookSpecificOutput"]["permissionDecision"].clone();
        assert_eq!(
            (decision(HookHost::ClaudeCode), decision(HookHost::Codex)),
            (json!("ask"), json!("deny"))
        );
        assert_eq!(answer(HookHost::ClaudeCode, &Verdict::Pass), None);
        assert_eq!(answer(HookHost::Codex, &Verdict::Pass), None);
        let reason = answer(HookHost::Json, &ask).expect("an answer")["reason"].to_string();
        assert!(!reason.contains('\u{1b}') && !reason.contains("\\u001b"), "{reason}");
    }
}
