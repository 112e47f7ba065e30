//! The same file through the command line, the language server and the tools of agents: the same hazards.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::binaries::{lockkeeper, root, target};
use crate::language_client::LanguageClient;

const MIGRATION: &str = "db/migrations/20260114100000_rename_user_name.sql";

#[test]
fn all_surfaces_report_the_same_hazards() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    copy(&root().join("examples/shop"), folder.path());
    let more = "-- migrate:up\nALTER TABLE users RENAME COLUMN name TO full_name;\nCREATE INDEX orders_status ON orders (status);\n\
                ALTER TABLE orders ALTER COLUMN status TYPE varchar(3);\nDROP TABLE order_items;\n-- migrate:down\nSELECT 1;\n";
    std::fs::write(folder.path().join(MIGRATION), more).expect("can be written");
    let cli = by_command_line(folder.path(), MIGRATION);
    assert!(cli.len() >= 5, "{cli:?}");
    assert_eq!(cli, by_language_server(folder.path(), MIGRATION));
    assert_eq!(cli, by_agents_tool(folder.path(), MIGRATION));
}

pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("can be made");
    for entry in std::fs::read_dir(from).expect("is a folder").filter_map(Result::ok) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("can be copied");
        }
    }
}

/// Rule and line of each hazard, in order.
pub(crate) type Found = Vec<(String, u64)>;

pub(crate) fn by_command_line(project: &Path, migration: &str) -> Found {
    let output = Command::new(lockkeeper())
        .args(["check", migration, "--format", "json"])
        .current_dir(project)
        .output()
        .expect("starts");
    hazards(&serde_json::from_slice(&output.stdout).expect("is JSON"))
}

fn hazards(report: &Value) -> Found {
    let found = report["files"][0]["hazards"].as_array().expect("a list").iter();
    let mut found: Found = found
        .map(|it| {
            (it["rule"].as_str().expect("a rule").to_owned(), it["span"]["line"].as_u64().expect("a line"))
        })
        .collect();
    found.sort();
    found
}

pub(crate) fn by_language_server(project: &Path, migration: &str) -> Found {
    let uri = format!("file://{}", project.canonicalize().expect("is there").display());
    let mut client = LanguageClient::start(Command::new(lockkeeper()).arg("lsp"));
    client.initialize(&uri, json!({}));
    let text = std::fs::read_to_string(project.join(migration)).expect("is there");
    let document =
        json!({"uri": format!("{uri}/{migration}"), "languageId": "sql", "version": 1, "text": text});
    client.notify("textDocument/didOpen", json!({"textDocument": document}));
    let published = client.next("textDocument/publishDiagnostics");
    let diagnostics = published["params"]["diagnostics"].as_array().expect("a list").iter();
    let mut found: Found = diagnostics
        .filter_map(|it| {
            let rule = it["code"].as_str()?.to_owned();
            Some((rule, it["range"]["start"]["line"].as_u64()? + 1))
        })
        .collect();
    found.sort();
    client.shut_down();
    found
}

/// By a session of one call, without the SDK: the SDK drives the gates elsewhere.
pub(crate) fn by_agents_tool(project: &Path, migration: &str) -> Found {
    let python = target().join("venv/bin/python");
    let script = format!(
        "import asyncio, json\nfrom mcp import Client, StdioServerParameters\n\
         async def main():\n    server = StdioServerParameters(command={program:?}, args=['mcp'], cwd={cwd:?})\n\
         \x20   async with Client(server, mode='legacy') as client:\n\
         \x20       result = await client.call_tool('analyze_migration', {{'file': {migration:?}}})\n\
         \x20       print(json.dumps(result.structured_content))\nasyncio.run(main())\n",
        program = lockkeeper().display().to_string(),
        cwd = project.display().to_string(),
    );
    let output = Command::new(python).args(["-c", &script]).output().expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    hazards(&serde_json::from_slice(&output.stdout).expect("is JSON"))
}
