//! What programs read of the command line: every JSON against its schema, formats, fixes, baselines, and what `init` writes.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::binaries::{root, target};
use crate::desk::Desk;

const MIGRATION: &str = "db/migrations/20260114100000_rename_user_name.sql";

impl Desk {
    fn project(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.project().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.project().join(path);
        fs::create_dir_all(path.parent().expect("is in the project")).expect("can be made");
        fs::write(path, text).expect("can be written");
    }

    /// The name and content of each file, and whether it is there.
    fn all(&self) -> Vec<(PathBuf, String)> {
        let mut folders = vec![self.project()];
        let mut found = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("is a folder").filter_map(Result::ok) {
                match entry.path() {
                    path if path.is_dir() => folders.push(path),
                    path => found.push((path.clone(), fs::read_to_string(path).expect("is text"))),
                }
            }
        }
        found.sort();
        found
    }
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("is text")
}

fn told(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("is text")
}

/// The library that the SDK of MCP checks with: another one than the one that makes the schemas.
#[track_caller]
fn is_valid(schema: &str, answer: &Value) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("answer.json");
    fs::write(&path, answer.to_string()).expect("can be written");
    let schema = root().join(format!("schemas/{schema}.schema.json"));
    let script = "import json, sys, jsonschema\n\
                  schema, answer = (json.load(open(it)) for it in sys.argv[1:])\n\
                  kind = jsonschema.validators.validator_for(schema)\n\
                  kind.check_schema(schema)\n\
                  sys.exit('\\n'.join(f'{it.json_path}: {it.message}' for it in kind(schema).iter_errors(answer)) or 0)";
    let python = target().join("venv/bin/python");
    let output =
        Command::new(python).args(["-c", script]).args([&schema, &path]).output().expect("Python starts");
    assert!(output.status.success(), "{}: {}", schema.display(), told(&output));
}

#[test]
fn every_json_has_the_form_of_its_schema() {
    let desk = Desk::new();
    let plan = desk.plan();
    desk.write(
        "db/migrations/20260201000000_odd.sql",
        "-- migrate:up\nDO $$ BEGIN EXECUTE x; END $$;\n-- migrate:down\n",
    );
    for (schema, call) in [
        ("check", vec!["check"]),
        ("check", vec!["check", "src/users.ts", MIGRATION]),
        ("effect", vec!["effect", MIGRATION]),
        ("references", vec!["references", "users.name"]),
        ("schema", vec!["schema"]),
        ("signals", vec!["signals"]),
        ("plan", vec!["plan", MIGRATION]),
        ("rewrite", vec!["rewrite", MIGRATION]),
        ("review", vec!["review", MIGRATION]),
        ("rehearsal", vec!["rehearse", MIGRATION, "--rows", "50"]),
        ("gates", vec!["gates"]),
        ("gates-of-plan", vec!["gates", &plan]),
    ] {
        let output = desk.run(&[call.clone(), vec!["--format", "json"]].concat());
        let answer: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{call:?}: {}", told(&output)));
        is_valid(schema, &answer);
    }
}

#[test]
fn the_example_has_the_form_of_the_configuration() {
    let text = fs::read_to_string(root().join("examples/shop/lockkeeper.toml")).expect("is there");
    let config: toml::Table = text.parse().expect("is TOML");
    is_valid("lockkeeper.toml", &serde_json::to_value(config).expect("is JSON too"));
}

/// Each format of each finding names its place: what CI shows leads to the line.
#[test]
fn formats_name_files_from_the_root_of_the_repository() {
    let desk = Desk::new();
    fs::create_dir(desk.folder.path().join(".git")).expect("can be made");
    for (format, place) in [
        ("github", format!("file=project/{MIGRATION},line=2,")),
        ("gitlab", format!("\"path\": \"project/{MIGRATION}\"")),
        ("sarif", format!("\"uri\": \"project/{MIGRATION}\"")),
        ("junit", format!("file=\"project/{MIGRATION}\" line=\"2\"")),
        ("markdown", format!("`project/{MIGRATION}:2`")),
        // Compilers are read from the folder in which they run.
        ("gcc", format!("{MIGRATION}:2:33: error: ")),
    ] {
        let output = desk.run(&["check", MIGRATION, "--format", format]);
        assert_eq!(output.status.code(), Some(1), "{format}");
        assert!(out(&output).contains(&place), "{format}: {}", out(&output));
    }
}

#[test]
fn a_comment_shows_the_rewrite_that_is_possible() {
    let comment = out(&Desk::new().run(&["check", MIGRATION, "--format", "markdown"]));
    assert!(
        comment.starts_with("<!-- lockkeeper-check -->\n### Lockkeeper: 1 danger, 1 warning\n"),
        "{comment}"
    );
    assert!(comment.contains("7 files, 1 release of the application</summary>"), "{comment}");
    assert!(comment.contains("```sql\n-- migrate:up\n-- Step 1 of 7"), "{comment}");
    assert!(comment.len() < 65_536);
}

#[test]
fn colours_are_asked_for_or_forbidden() {
    let desk = Desk::new();
    let colored = |variables: &[(&str, &str)]| {
        let mut command = desk.command(&["check"]);
        command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").envs(variables.iter().copied());
        out(&command.output().expect("it can be started")).contains("\u{1b}[")
    };
    assert!(!colored(&[]));
    assert!(colored(&[("CLICOLOR_FORCE", "1")]));
    assert!(!colored(&[("CLICOLOR_FORCE", "0")]));
    assert!(!colored(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
}

#[test]
fn a_diff_is_what_the_fix_writes() {
    let desk = Desk::new();
    let before = desk.all();
    let diff = out(&desk.run(&["check", MIGRATION, "--diff"]));
    assert_eq!(desk.all(), before, "--diff writes nothing");
    let output = desk.run(&["check", MIGRATION, "--fix"]);
    assert!(told(&output).contains("2 fixes in 1 file applied"), "{}", told(&output));
    let fixed = desk.read(MIGRATION);
    assert!(fixed.contains("SET LOCAL lock_timeout = '2s';\nALTER TABLE users RENAME"), "{fixed}");
    let patched = desk.folder.path().join("patched");
    crate::surfaces::copy(&root().join("examples/shop"), &patched);
    fs::write(patched.join("fix.diff"), diff).expect("can be written");
    let status = Command::new("git").args(["apply", "fix.diff"]).current_dir(&patched).status();
    assert!(status.expect("git starts").success());
    assert_eq!(fs::read_to_string(patched.join(MIGRATION)).expect("is there"), fixed);
    // The danger has no fix that keeps the meaning: it stays, and a second run finds nothing to do.
    assert_eq!(output.status.code(), Some(1));
    assert!(told(&desk.run(&["check", MIGRATION, "--fix"])).contains("no fix that keeps the meaning"));
    assert_eq!(desk.read(MIGRATION), fixed);
}

#[test]
fn a_rewrite_as_a_diff_applies_to_the_files_it_writes() {
    let desk = Desk::new();
    let output = desk.run(&["rewrite", MIGRATION, "--diff"]);
    let diff = out(&output);
    // Five migrations, and the contract that waits: its two halves, and what says so.
    assert_eq!(diff.matches("--- /dev/null\n").count(), 8, "{diff}");
    fs::write(desk.project().join("rewrite.diff"), &diff).expect("can be written");
    let status = Command::new("git").args(["apply", "rewrite.diff"]).current_dir(desk.project()).status();
    assert!(status.expect("git starts").success());
    assert_eq!(desk.run(&["check", "db", "--exclude", "no-lock-timeout"]).status.code(), Some(0));
}

#[test]
fn a_baseline_accepts_what_was_there_and_gets_shorter() {
    let desk = Desk::new();
    let baseline = ["check", "--baseline", "accepted.toml"];
    let write = [&baseline[..], &["--write-baseline"]].concat();
    assert_eq!(desk.run(&write).status.code(), Some(2), "a reason is missing");
    let reason = [&write[..], &["--reason", "was there before"]].concat();
    assert_eq!(desk.run(&reason).status.code(), Some(0));
    let first = desk.read("accepted.toml");
    assert_eq!(first.matches("reason = \"was there before\"").count(), 5, "{first}");
    // Lines above it may come: it is the same finding.
    desk.write(MIGRATION, &format!("-- a remark\n{}", desk.read(MIGRATION)));
    assert_eq!(desk.run(&baseline).status.code(), Some(0));
    // A new danger is not accepted, and writing the baseline again does not accept it either.
    desk.write(
        "db/migrations/20260201000000_drop.sql",
        "-- migrate:up\nDROP TABLE orders;\n-- migrate:down\nSELECT 1;\n",
    );
    assert_eq!(desk.run(&baseline).status.code(), Some(1));
    desk.run(&write);
    assert_eq!(desk.read("accepted.toml"), first);
    // What no longer occurs fails nothing, is said, and goes when the baseline is written.
    fs::remove_file(desk.project().join("db/migrations/20260201000000_drop.sql")).expect("is there");
    fs::remove_file(desk.project().join(MIGRATION)).expect("is there");
    let output = desk.run(&baseline);
    assert_eq!(output.status.code(), Some(0));
    assert!(out(&output).contains(
        "accepts renamed-column in db/migrations/20260114100000_rename_user_name.sql, which no longer occurs"
    ));
    desk.run(&write);
    assert_eq!(desk.read("accepted.toml").matches("[[accepted]]").count(), 3);
}

/// A call that looks at less says nothing about the rest.
#[test]
fn a_narrow_call_calls_nothing_gone() {
    let desk = Desk::new();
    desk.run(&["check", "--baseline", "accepted.toml", "--write-baseline", "--reason", "old"]);
    for narrow in [
        ["--rule", "dropped-table"],
        ["--exclude", "renamed-column"],
        ["--exclude-path", "db/migrations/2026*"],
    ] {
        let output = desk.run(&[&["check", "--baseline", "accepted.toml"][..], &narrow].concat());
        assert!(!out(&output).contains("no longer occurs"), "{narrow:?}: {}", out(&output));
    }
}

#[test]
fn rules_and_paths_are_chosen() {
    let desk = Desk::new();
    let rules = |arguments: &[&str]| {
        let output = desk.run(&[&["check", "--format", "json"][..], arguments].concat());
        let report: Value = serde_json::from_slice(&output.stdout).expect("is JSON");
        let files = report["files"].as_array().expect("a list").iter();
        let hazards = files.flat_map(|file| file["hazards"].as_array().expect("a list"));
        hazards.map(|it| it["rule"].as_str().expect("a rule").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(rules(&["--rule", "renamed-column"]), ["renamed-column"]);
    assert!(!rules(&["--exclude", "renamed-column"]).contains(&"renamed-column".to_owned()));
    assert!(!rules(&["--exclude-path", "db/migrations/2026*"]).contains(&"renamed-column".to_owned()));
    assert!(rules(&["--exclude-path", "db"]).is_empty());
    let output = desk.run(&["check", "--rule", "renamed-colum"]);
    assert!(told(&output).contains("did you mean `renamed-column`?"), "{}", told(&output));
}

#[test]
fn init_shows_writes_and_takes_back() {
    let desk = Desk::new();
    fs::remove_file(desk.project().join("lockkeeper.toml")).expect("is there");
    desk.write(".pre-commit-config.yaml", "repos:\n  - repo: local\n    hooks: []\n");
    desk.write(".mcp.json", "{\"mcpServers\": {\"other\": {\"command\": \"other\"}}}\n");
    let before = desk.all();
    let output = desk.run(&["init"]);
    assert!(out(&output).ends_with("Nothing was written: add --yes.\n"), "{}", out(&output));
    assert_eq!(desk.all(), before);
    let output = desk.run(&["init", "--yes", "--answer", "downtime-allowed=none"]);
    assert!(out(&output).contains("Wrote 4 files."), "{}{}", out(&output), told(&output));
    let config = desk.read("lockkeeper.toml");
    assert!(
        config.contains("\ntarget-version = \"15\" # ") && config.contains("\ndowntime-allowed = \"none\"\n"),
        "{config}"
    );
    let servers: Value = serde_json::from_str(&desk.read(".mcp.json")).expect("is JSON");
    assert_eq!(servers["mcpServers"]["lockkeeper"], json!({"command": "lockkeeper", "args": ["mcp"]}));
    assert_eq!(servers["mcpServers"]["other"]["command"], "other");
    assert_eq!(desk.run(&["check"]).status.code(), Some(1), "the configuration is read");
    // Again: nothing is overwritten.
    assert!(out(&desk.run(&["init", "--yes"])).ends_with("Nothing to write.\n"));
    let output = desk.run(&["init", "--undo"]);
    assert_eq!(out(&output), "Took back 4 files.\n");
    assert_eq!(desk.all(), before);
    assert_eq!(desk.run(&["init", "--undo"]).status.code(), Some(2));
}

#[test]
fn init_leaves_what_was_changed_since() {
    let desk = Desk::new();
    desk.run(&["init", "--yes", "--part", "ci"]);
    let path = ".github/workflows/lockkeeper.yml";
    desk.write(path, "name: mine\n");
    let output = desk.run(&["init", "--undo"]);
    assert_eq!(out(&output), format!("{path} was changed since, and stays as it is\nTook back 0 files.\n"));
    assert_eq!(desk.read(path), "name: mine\n");
}

#[test]
fn init_refuses_what_is_no_project() {
    let desk = Desk::new();
    let empty = desk.folder.path().join("empty");
    fs::create_dir(&empty).expect("can be made");
    let output = desk.command(&["init", "--yes"]).current_dir(&empty).output().expect("it can be started");
    assert_eq!(output.status.code(), Some(2));
    assert!(told(&output).contains("holds no migrations that we know"), "{}", told(&output));
    assert_eq!(fs::read_dir(&empty).expect("is there").count(), 0);
}
