//! `lockkeeper hook`, as the programs of agents start it: in their forms, closed on errors, open for what a person approved.

use std::io::Write;
use std::process::{Output, Stdio};

use serde_json::{Value, json};

use crate::desk::Desk;

impl Desk {
    fn hook(&self, host: &str, input: &str) -> Output {
        let mut child =
            self.command(&["hook", host]).stdin(Stdio::piped()).spawn().expect("it can be started");
        let mut stdin = child.stdin.take().expect("it is piped");
        // One that is refused before it is read to its end closes the pipe.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        child.wait_with_output().expect("it ends")
    }

    fn said(&self, host: &str, call: &Value) -> Value {
        let output = self.hook(host, &call.to_string());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }

    fn tool(&self, tool: &str, input: Value) -> Value {
        let folder = self.folder.path().join("project");
        json!({"session_id": "s", "transcript_path": "", "cwd": folder, "permission_mode": "default",
               "hook_event_name": "PreToolUse", "tool_name": tool, "tool_input": input, "tool_use_id": "t"})
    }
}

fn decision(answer: &Value) -> &str {
    answer["hookSpecificOutput"]["permissionDecision"].as_str().unwrap_or("nothing")
}

#[test]
fn each_host_is_answered_in_its_form() {
    let desk = Desk::new();
    let said = |host: &str, command: &str| desk.said(host, &desk.tool("Bash", json!({"command": command})));
    assert_eq!(said("claude-code", "npm test"), Value::Null);
    assert_eq!(said("codex", "npm test"), Value::Null);
    let (deploy, drop) = ("npx prisma migrate deploy", "dropdb shop");
    assert_eq!(decision(&said("claude-code", deploy)), "ask");
    assert_eq!(decision(&said("claude-code", drop)), "deny");
    // Codex takes a question for nothing: it is refused, and the reason says who can.
    let refused = said("codex", deploy);
    assert_eq!(decision(&refused), "deny");
    assert!(refused.to_string().contains("Only your human can do it"), "{refused}");
    assert_eq!(refused["hookSpecificOutput"]["hookEventName"], "PreToolUse");
    let project = desk.folder.path().join("project");
    let own = |command: &str| {
        desk.said("json", &json!({"version": 1, "cwd": project, "tool": "shell", "command": command}))
    };
    assert_eq!(own("npm test"), json!({"version": 1, "decision": "pass"}));
    assert_eq!(
        (own(deploy)["decision"].clone(), own(drop)["decision"].clone()),
        (json!("ask"), json!("refuse"))
    );
}

#[test]
fn every_error_closes() {
    let desk = Desk::new();
    let project = desk.folder.path().join("project");
    let inputs = [
        String::new(),
        "{".to_owned(),
        "null".to_owned(),
        json!({"cwd": project}).to_string(),
        json!({"cwd": "/no/such/folder", "tool_name": "Bash", "tool_input": {"command": "ls"}}).to_string(),
        json!({"cwd": project, "tool_name": "Bash", "tool_input": {}}).to_string(),
        "[".repeat(200_000),
    ];
    for host in ["claude-code", "codex", "json"] {
        for input in &inputs {
            let output = desk.hook(host, input);
            let told = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{host}: {}", &input[..input.len().min(80)]);
            assert!(told.contains("nothing is let through") && output.stdout.is_empty(), "{told}");
        }
    }
    // Deep and long command lines neither crash nor pass.
    for command in ["$(".repeat(50_000), "(".repeat(50_000), "\"${a:-".repeat(30_000), "x;".repeat(300_000)] {
        let answer = desk.said("claude-code", &desk.tool("Bash", json!({"command": command})));
        assert_eq!(decision(&answer), "ask");
    }
}

/// What a person has approved may be written by the agent itself, letter by letter; nothing else.
#[test]
fn an_open_gate_lets_exactly_its_files_through() {
    let desk = Desk::new();
    let project = desk.folder.path().join("project");
    let key = desk.key("ana");
    desk.commit_signer(&key);
    let plan = desk.plan();
    let state = desk.folder.path().join("state/workspaces");
    let workspace = std::fs::read_dir(state).expect("is there").next().expect("one").expect("is read").path();
    let stored = std::fs::read_to_string(workspace.join(format!("plans/{plan}.json"))).expect("is stored");
    let stored: Value = serde_json::from_str(&stored).expect("is JSON");
    let files = stored["contents"][0]["files"].as_array().expect("a list");
    let (path, text) =
        (files[1]["path"].as_str().expect("a path"), files[1]["text"].as_str().expect("a text"));
    let write = |text: &str| {
        let input = json!({"file_path": project.join(path), "content": text});
        decision(&desk.said("claude-code", &desk.tool("Write", input))).to_owned()
    };
    assert_eq!(write(text), "ask");
    let approved = desk.run(&["approve", &plan, "strategy", "--key", &key]);
    assert!(approved.status.success(), "{}", String::from_utf8_lossy(&approved.stderr));
    assert_eq!(write(text), "nothing");
    assert_eq!(write(&format!("{text}DROP TABLE users;\n")), "ask");
    assert!(desk.run(&["revoke", &plan, "strategy"]).status.success());
    assert_eq!(write(text), "ask");
}

/// The entries are shown, written on yes, understood by the hook that they start, and taken back.
#[test]
fn init_sets_agents_up_and_takes_it_back() {
    let desk = Desk::new();
    let project = desk.folder.path().join("project");
    let settings = "{\"permissions\": {\"allow\": [\"Bash(npm test)\"]}}";
    for folder in [".claude", ".codex"] {
        std::fs::create_dir(project.join(folder)).expect("can be made");
    }
    std::fs::write(project.join(".claude/settings.json"), settings).expect("can be written");
    let out = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();
    let shown = out(&desk.run(&["init", "--agent"]));
    assert!(
        shown.contains("lockkeeper hook claude-code || exit 2") && shown.contains("Nothing was written"),
        "{shown}"
    );
    assert!(!project.join(".mcp.json").exists());
    let written = desk.run(&["init", "--agent", "--yes"]);
    assert!(written.status.success(), "{}", out(&written));
    let read = |path: &str| std::fs::read_to_string(project.join(path)).expect("was written");
    let json = |path: &str| serde_json::from_str::<Value>(&read(path)).expect("is JSON");
    let (claude, codex) = (json(".claude/settings.json"), json(".codex/hooks.json"));
    assert_eq!(claude["permissions"]["allow"], json!(["Bash(npm test)"]));
    assert_eq!(codex["hooks"]["PreToolUse"][0]["hooks"][0]["command"], "lockkeeper hook codex || exit 2");
    assert_eq!(json(".mcp.json")["mcpServers"]["lockkeeper"]["args"], json!(["mcp"]));
    assert!(read(".codex/config.toml").contains("[mcp_servers.lockkeeper]"));
    assert!(
        !project.join("lockkeeper-baseline.toml").exists()
            && !project.join(".pre-commit-config.yaml").exists()
    );
    assert!(out(&desk.run(&["init", "--agent", "--yes"])).ends_with("Nothing to write.\n"));
    // The agent may not take its own hook away.
    let edit =
        json!({"file_path": project.join(".claude/settings.json"), "old_string": "a", "new_string": "b"});
    assert_eq!(decision(&desk.said("claude-code", &desk.tool("Edit", edit))), "ask");
    assert!(desk.run(&["init", "--undo"]).status.success());
    assert_eq!(read(".claude/settings.json"), settings);
    assert!(!project.join(".codex/hooks.json").exists() && !project.join(".mcp.json").exists());
}
