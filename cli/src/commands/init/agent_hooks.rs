//! The entries of `lockkeeper hook` for the programs of agents, and of `lockkeeper mcp` for Codex.

use lockkeeper_project::Project;
use serde_json::{Map, Value, json};

use super::hook::{text, with_line_break};
use super::proposal::Proposal;

/// A program of agents that starts hooks.
struct Host {
    /// Its file of hooks.
    path: &'static str,
    /// What shows that the project is worked on with it.
    signs: &'static [&'static str],
    /// The tools that are asked about.
    matcher: &'static str,
    /// The command, which closes where it cannot be started: any other code than 2 lets the call through.
    command: &'static str,
    about: &'static str,
}

static HOSTS: &[Host] = &[
    Host {
        path: ".claude/settings.json",
        signs: &[".claude", "CLAUDE.md"],
        matcher: "Bash|Write|Edit|MultiEdit|NotebookEdit",
        command: "lockkeeper hook claude-code || exit 2",
        about: "asks before Claude Code writes migrations or changes databases; who works here needs lockkeeper installed",
    },
    Host {
        path: ".codex/hooks.json",
        signs: &[".codex"],
        matcher: "Bash|apply_patch",
        command: "lockkeeper hook codex || exit 2",
        about: "refuses where Codex would write migrations or change databases; Codex runs it when you have trusted it there, with /hooks",
    },
];

const CODEX_CONFIG: &str = ".codex/config.toml";
const CODEX_SERVER: &str = "[mcp_servers.lockkeeper]\ncommand = \"lockkeeper\"\nargs = [\"mcp\"]\n";

/// The hooks of the programs that the project shows.
pub fn proposals(project: &Project) -> Vec<Proposal> {
    let shown = HOSTS.iter().filter(|host| host.signs.iter().any(|it| project.root.join(it).exists()));
    shown
        .map(|host| match text(project, host.path) {
            None => Proposal::new_file(
                project,
                host.path,
                with_hook(Map::new(), host).expect("an empty file"),
                host.about,
            ),
            Some(before) => extended(host, before),
        })
        .collect()
}

fn extended(host: &Host, before: String) -> Proposal {
    if before.contains("lockkeeper hook") {
        return Proposal::left(host.path, "has the hook already");
    }
    let settings = serde_json::from_str(&before).ok().and_then(|it| match it {
        Value::Object(settings) => with_hook(settings, host),
        _ => None,
    });
    match settings {
        Some(after) => Proposal::changed(host.path, before, after, host.about),
        None => Proposal::left(
            host.path,
            format!(
                "has a form that is not extended here; add a PreToolUse hook for {} that runs `{}`",
                host.matcher, host.command
            ),
        ),
    }
}

/// The settings with the hook behind those that are there; nothing where these have another form.
fn with_hook(mut settings: Map<String, Value>, host: &Host) -> Option<String> {
    let hooks = settings.entry("hooks").or_insert_with(|| json!({})).as_object_mut()?;
    let entries = hooks.entry("PreToolUse").or_insert_with(|| json!([])).as_array_mut()?;
    entries.push(json!({"matcher": host.matcher, "hooks": [{"type": "command", "command": host.command}]}));
    Some(format!("{:#}\n", Value::Object(settings)))
}

/// The MCP server for Codex, which keeps its servers beside its other settings.
pub fn codex_server(project: &Project) -> Option<Proposal> {
    let about = "gives Codex the tools";
    if !project.root.join(".codex").is_dir() {
        return None;
    }
    Some(match text(project, CODEX_CONFIG) {
        None => Proposal::new_file(project, CODEX_CONFIG, CODEX_SERVER.to_owned(), about),
        Some(before) if before.contains("mcp_servers.lockkeeper") => {
            Proposal::left(CODEX_CONFIG, "has the server already")
        }
        Some(before) => {
            let after = format!("{}\n{CODEX_SERVER}", with_line_break(&before));
            Proposal::changed(CODEX_CONFIG, before, after, about)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_hooks_stay() {
        let before =
            r#"{"model": "x", "hooks": {"PreToolUse": [{"matcher": "Bash", "hooks": []}], "Stop": []}}"#;
        let proposal = extended(&HOSTS[0], before.to_owned());
        let after: Value =
            serde_json::from_str(proposal.after.as_deref().expect("is extended")).expect("is JSON");
        let ours =
            json!({"matcher": HOSTS[0].matcher, "hooks": [{"type": "command", "command": HOSTS[0].command}]});
        let expected = json!({"model": "x", "hooks": {"PreToolUse": [{"matcher": "Bash", "hooks": []}, ours], "Stop": []}});
        assert_eq!(after, expected);
        assert_eq!(extended(&HOSTS[0], after.to_string()).after, None);
    }

    #[test]
    fn what_cannot_be_extended_stays() {
        for before in ["// comment\n{}", "[]", r#"{"hooks": []}"#, r#"{"hooks": {"PreToolUse": {}}}"#] {
            assert_eq!(extended(&HOSTS[0], before.to_owned()).after, None, "{before}");
        }
    }
}
