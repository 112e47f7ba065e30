//! Entries for agents and editors whose settings a project keeps.

use lockkeeper_project::Project;
use serde_json::{Map, Value, json};

use super::hook::text;
use super::proposal::Proposal;

/// A file of MCP servers: where it is, the folder that must be there, and the key of its list.
const MCP_FILES: [(&str, &str, &str); 3] = [
    (".mcp.json", "", "mcpServers"),
    (".cursor/mcp.json", ".cursor", "mcpServers"),
    (".vscode/mcp.json", ".vscode", "servers"),
];

const HELIX: &str = "\
[language-server.lockkeeper]
command = \"lockkeeper\"
args = [\"lsp\"]

[[language]]
name = \"sql\"
language-servers = [\"lockkeeper\"]
";

/// The entries of `lockkeeper mcp`.
pub fn mcp(project: &Project) -> Vec<Proposal> {
    let there = MCP_FILES.iter().filter(|(_, folder, _)| project.root.join(folder).is_dir());
    there
        .map(|(path, _, key)| match text(project, path) {
            None => Proposal::new_file(project, path, with_server(Map::new(), key), "gives agents the tools"),
            Some(before) => extended(path, key, before),
        })
        .collect()
}

fn extended(path: &str, key: &str, before: String) -> Proposal {
    let Ok(Value::Object(settings)) = serde_json::from_str(&before) else {
        return Proposal::left(path, "is not plain JSON; add the server `lockkeeper mcp` by hand");
    };
    match settings.get(key) {
        Some(servers) if servers.get("lockkeeper").is_some() => {
            Proposal::left(path, "has the server already")
        }
        Some(servers) if !servers.is_object() => {
            Proposal::left(path, format!("has an odd {key}; add the server `lockkeeper mcp` by hand"))
        }
        _ => Proposal::changed(path, before, with_server(settings, key), "gives agents the tools"),
    }
}

fn with_server(mut settings: Map<String, Value>, key: &str) -> String {
    let servers = settings.entry(key).or_insert_with(|| json!({}));
    servers["lockkeeper"] = json!({"command": "lockkeeper", "args": ["mcp"]});
    format!("{:#}\n", Value::Object(settings))
}

/// Helix reads a project's own settings; other editors find the server by an extension, or by their user's settings.
pub fn editors(project: &Project) -> Vec<Proposal> {
    let path = ".helix/languages.toml";
    if !project.root.join(".helix").is_dir() {
        return Vec::new();
    }
    match text(project, path) {
        Some(before) if before.contains("lockkeeper") => {
            vec![Proposal::left(path, "has the server already")]
        }
        Some(_) => vec![Proposal::left(path, format!("is not changed here; add to it:\n{HELIX}"))],
        None => vec![Proposal::new_file(project, path, HELIX.to_owned(), "starts the language server")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_servers_stay() {
        let before = "{\"mcpServers\": {\"a\": {\"command\": \"a\"}}, \"b\": 1}";
        let proposal = extended(".mcp.json", "mcpServers", before.to_owned());
        let after: Value = serde_json::from_str(&proposal.after.expect("is extended")).expect("is JSON");
        let lockkeeper = json!({"command": "lockkeeper", "args": ["mcp"]});
        assert_eq!(after, json!({"mcpServers": {"a": {"command": "a"}, "lockkeeper": lockkeeper}, "b": 1}));
        assert_eq!(extended(".mcp.json", "mcpServers", after.to_string()).after, None);
    }

    #[test]
    fn what_cannot_be_extended_stays() {
        for before in ["// comment\n{}", "[]", "{\"mcpServers\": []}"] {
            assert_eq!(extended(".mcp.json", "mcpServers", before.to_owned()).after, None, "{before}");
        }
    }
}
