//! `cargo xtask conformance`: the server of agents under programs of others: the official conformance suite, the SDKs of TypeScript and the
//! command line of the Inspector.
//!
//! The suite calls tools, prompts and resources of its own names, which no real server has. What fails for that reason, or since we do not
//! offer a feature, is known by its message; anything else fails this command.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::shell::{self, cargo, command, root, target, tools};

/// Pinned: what is compared with must not change by itself.
const PACKAGES: &[&str] = &[
    "node@24.21.0",
    "@modelcontextprotocol/conformance@0.2.0-alpha.12",
    "@modelcontextprotocol/inspector@2.12.0",
    "@modelcontextprotocol/sdk@1.32.2",
    "@modelcontextprotocol/client@2.4.0",
];
const REVISIONS: &[&str] = &["2025-11-25", "2026-07-28"];
const MIGRATION: &str = "db/migrations/20260114100000_rename_user_name.sql";

/// Why a check of the suite does not apply, by what its message holds.
const REASONS: &[(&str, &str)] = &[
    ("tool not found", "calls a tool that only the suite's own servers have"),
    ("there is no such prompt", "asks for a prompt that only the suite's own servers have"),
    ("there is no resource test://", "asks for a resource that only the suite's own servers have"),
    ("does not list the diagnostic tool", "calls a tool that only the suite's own servers have"),
    ("'json_schema_2020_12_tool' not found", "calls a tool that only the suite's own servers have"),
    ("exposes no tool with x-mcp-header", "no tool of ours takes a header"),
    ("Prerequisite failed", "goes on from a call of the suite's own tool"),
    ("Expected InputRequiredResult", "goes on from a call of the suite's own tool"),
    ("Not testable: no task", "tasks, an extension, are not offered: operations are asked for by number"),
    ("routing-task fixture", "tasks, an extension, are not offered: operations are asked for by number"),
    (
        "capabilities.extensions MUST",
        "tasks, an extension, are not offered: operations are asked for by number",
    ),
    ("tasks/", "tasks, an extension, are not offered: operations are asked for by number"),
    ("got -32601", "tasks, an extension, are not offered: operations are asked for by number"),
    ("for failing_job", "tasks, an extension, are not offered: operations are asked for by number"),
    ("logging/setLevel", "logging is deprecated in the protocol: the log is on standard error"),
    (
        "resources/subscribe",
        "resources are not watched one by one: clients are told when there is a new plan",
    ),
];

/// A process that ends with us.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs all of it, and says what did not apply.
pub fn run() -> Result<()> {
    shell::run(&mut cargo(&["build", "--package", "lockkeeper"]))?;
    let modules = install()?;
    let world = tempfile()?;
    let outcome = suite(&modules, &world)
        .and_then(|()| typescript(&modules))
        .and_then(|()| inspector(&modules, &world));
    fs::remove_dir_all(&world)?;
    outcome
}

fn program() -> PathBuf {
    target().join("debug/lockkeeper")
}

/// A copy of the example, and a place for its state.
fn tempfile() -> Result<PathBuf> {
    let world = target().join("conformance");
    if world.exists() {
        fs::remove_dir_all(&world)?;
    }
    fs::create_dir_all(&world)?;
    shell::run_quietly(command("cp", &["-r", "examples/shop"]).arg(world.join("project")))?;
    Ok(world)
}

/// The folder that the packages are installed in.
fn install() -> Result<PathBuf> {
    let folder = tools().join("mcp-clients");
    let (installed, wanted) = (folder.join("installed"), PACKAGES.join("\n"));
    if fs::read_to_string(&installed).is_ok_and(|it| it == wanted) {
        return Ok(folder);
    }
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("package.json"), "{\"private\": true}\n")?;
    let arguments = [&["install", "--no-audit", "--no-fund"], PACKAGES].concat();
    shell::run_quietly(command("npm", &arguments).current_dir(&folder))?;
    fs::write(installed, wanted)?;
    Ok(folder)
}

/// A program of a package, under a Node that is new enough for all of them.
fn node(modules: &Path, script: &str) -> Command {
    let own = modules.join("node_modules/node/bin");
    let mut command = command(own.join("node"), &[]);
    command.arg(if script.starts_with("node_modules") { modules.join(script) } else { root().join(script) });
    let path = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(own).chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(all).expect("these were paths"));
    command
}

fn suite(modules: &Path, world: &Path) -> Result<()> {
    let mut server = Command::new(program());
    server.args(["mcp", "--http", "0"]).current_dir(world.join("project"));
    let mut server =
        Running(server.env("LOCKKEEPER_STATE_DIR", world.join("state")).stderr(Stdio::piped()).spawn()?);
    let told = first_line(server.0.stderr.take().context("a pipe")?)?;
    let port = told.split([':', '/']).find_map(|it| it.parse::<u16>().ok()).with_context(|| told.clone())?;
    let mut proxy = node(modules, "tests/mcp/proxy.mjs");
    proxy.arg(port.to_string()).arg(world.join("state/mcp-token")).stdout(Stdio::piped());
    let mut proxy = Running(proxy.spawn()?);
    let port = first_line(proxy.0.stdout.take().context("a pipe")?)?;
    for revision in REVISIONS {
        let results = world.join(revision);
        let mut run = node(modules, "node_modules/@modelcontextprotocol/conformance/dist/index.js");
        run.args([
            "server",
            "--url",
            &format!("http://127.0.0.1:{}/mcp", port.trim()),
            "--requirements",
            revision,
        ]);
        // Its code says that something failed; what, stands in its results.
        run.arg("-o").arg(&results).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        judge(revision, &results)?;
    }
    Ok(())
}

fn first_line(pipe: impl std::io::Read) -> Result<String> {
    let mut line = String::new();
    BufReader::new(pipe).read_line(&mut line)?;
    Ok(line)
}

/// Counts what passed, and fails for what did not without a reason.
fn judge(revision: &str, results: &Path) -> Result<()> {
    let (mut passed, mut scenarios, mut excused, mut failed) =
        (0, 0, BTreeMap::<&str, usize>::new(), Vec::new());
    for scenario in fs::read_dir(results)? {
        let checks = fs::read_to_string(scenario?.path().join("checks.json"))?;
        scenarios += 1;
        for check in serde_json::from_str::<Vec<serde_json::Value>>(&checks)? {
            let (id, message) = (check["id"].to_string(), check["errorMessage"].as_str().unwrap_or_default());
            match check["status"].as_str() {
                Some("SUCCESS") => passed += 1,
                Some("FAILURE") => match REASONS.iter().find(|it| message.contains(it.0)) {
                    Some((_, reason)) => *excused.entry(reason).or_default() += 1,
                    None => failed.push(format!("{id}: {message}")),
                },
                _ => {}
            }
        }
    }
    println!("{revision}: {scenarios} scenarios, {passed} checks passed");
    for (reason, count) in excused {
        println!("  {count:>3} did not apply: {reason}");
    }
    ensure!(failed.is_empty(), "failed at {revision}:\n{}", failed.join("\n"));
    ensure!(passed > 40, "only {passed} checks of {revision} passed: the suite did not reach the server");
    Ok(())
}

fn typescript(modules: &Path) -> Result<()> {
    let mut run = node(modules, "tests/mcp/typescript.mjs");
    let output = run.arg(modules).arg(program()).args(["examples/shop", MIGRATION]).output()?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    print!("{told}");
    let wanted = r#""statuses":["approval_required","approved","written","approval_required"]"#;
    let good = told.lines().filter(|it| it.contains(wanted)).count();
    ensure!(good == 4, "{good} of 4 clients did the journey: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// Its command line, on the schemas above all: `--strict` fails for what a client may refuse.
fn inspector(modules: &Path, world: &Path) -> Result<()> {
    let calls: &[&[&str]] = &[
        &["--strict", "--method", "tools/list"],
        &["--method", "tools/call", "--tool-name", "gather_signals"],
        &["--method", "tools/call", "--tool-name", "explain", "--tool-arg", "name=renamed-column"],
        &["--method", "resources/list"],
        &["--method", "resources/read", "--uri", "lockkeeper://rule/renamed-column"],
        &["--method", "prompts/list"],
    ];
    for call in calls {
        let mut run = node(modules, "node_modules/.bin/mcp-inspector");
        run.arg("--cli").arg(program()).arg("mcp").args(*call).current_dir(world.join("project"));
        let output = run.env("LOCKKEEPER_STATE_DIR", world.join("state")).output()?;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        if !output.status.success() || told.contains("Warning") || output.stdout.is_empty() {
            bail!("the Inspector, {call:?}: {told}");
        }
    }
    println!("Inspector: {} calls, no warning", calls.len());
    Ok(())
}
