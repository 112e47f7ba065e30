//! A repository of several parts, for several engines, frameworks and versions: every surface takes what holds for the part.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::binaries::lockkeeper;
use crate::surfaces::{by_agents_tool, by_command_line, by_language_server};

const CONFIG: &str = r#"dialect = "postgres"
target-version = 16

[answers]
downtime-allowed = "none"
releases-between-steps = "2"
every-writer-is-here = "yes"
table-rows = 1000

[[paths]]
path = "services"
time-zone = "UTC"

[[paths]]
path = "services/billing"
framework = "goose"
target-version = 11
answers = { table-rows = 4000000 }
severity = { no-lock-timeout = "off" }
limits = { batch-rows = 250 }

[[paths]]
path = "services/legacy"
dialect = "mysql"
target-version = 8.0
"#;

const BILLING: &str = "services/billing/db/migrations/002_state.sql";
const WEB: &str = "services/web/db/migrations/002_state.sql";
const LEGACY: &str = "services/legacy/db/migrations/001_state.sql";

const FIRST: &str = "CREATE TYPE state AS ENUM ('new');\nCREATE TABLE orders (id bigint PRIMARY KEY, state state, name text);\n";
/// In a transaction, which PostgreSQL 11 refuses and 12 does not.
const SECOND: &str =
    "ALTER TYPE state ADD VALUE 'sent';\nALTER TABLE orders RENAME COLUMN name TO full_name;\n";

fn repository(config: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("has a folder")).expect("can be made");
        std::fs::write(path, text).expect("can be written");
    };
    write("lockkeeper.toml", config);
    // No marker says that it is goose's: only the configuration does.
    write("services/billing/db/migrations/001_first.sql", &format!("-- +goose Up\n{FIRST}"));
    write(BILLING, &format!("-- +goose Up\n{SECOND}-- +goose Down\nSELECT 1;\n"));
    write("services/web/db/migrations/001_first.sql", FIRST);
    write(WEB, SECOND);
    write(LEGACY, "CREATE TABLE `a` (`id` int AUTO_INCREMENT PRIMARY KEY) ENGINE=InnoDB;\n");
    folder
}

fn json(folder: &Path, arguments: &[&str]) -> Value {
    let output = Command::new(lockkeeper()).args(arguments).current_dir(folder).output().expect("starts");
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {said}"))
}

fn rules(report: &Value, path: &str) -> Vec<String> {
    let files = report["files"].as_array().expect("a list");
    let file = files.iter().find(|it| it["path"] == path).expect("the file is reported");
    let hazards = file["hazards"].as_array().expect("a list").iter();
    hazards.map(|it| it["rule"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn each_part_is_checked_for_its_own_server() {
    let folder = repository(CONFIG);
    let report = json(folder.path(), &["check", "--format", "json"]);
    let (billing, web) = (rules(&report, BILLING), rules(&report, WEB));
    assert!(!billing.contains(&"no-lock-timeout".to_owned()), "{billing:?}");
    assert!(web.contains(&"no-lock-timeout".to_owned()), "{web:?}");
    let only_there: Vec<_> = billing.iter().filter(|it| !web.contains(it)).collect();
    assert_eq!(only_there, ["concurrent-in-transaction"], "{billing:?} {web:?}");
    // One folder is for another engine: that is said, and fails the check unless it is let pass.
    let unread = report["unread"].as_array().expect("a list");
    assert!(unread.iter().any(|it| it["path"] == "services/legacy/db/migrations"), "{unread:?}");
    let frameworks = |path: &str| {
        let files = report["files"].as_array().expect("a list");
        files.iter().find(|it| it["path"] == path).expect("is there")["framework"].clone()
    };
    assert_eq!((frameworks(BILLING), frameworks(WEB)), ("goose".into(), "plain".into()));
}

#[test]
fn every_surface_takes_what_holds_for_the_part() {
    let folder = repository(CONFIG);
    for path in [BILLING, WEB] {
        let cli = by_command_line(folder.path(), path);
        assert!(cli.len() >= 2, "{cli:?}");
        assert_eq!(cli, by_language_server(folder.path(), path), "{path}");
        assert_eq!(cli, by_agents_tool(folder.path(), path), "{path}");
    }
    assert_ne!(by_command_line(folder.path(), BILLING), by_command_line(folder.path(), WEB));
}

#[test]
fn plans_and_rewrites_take_the_answers_and_limits_of_the_part() {
    let folder = repository(CONFIG);
    let of = |path: &str| {
        let plan = json(folder.path(), &["plan", path, "--format", "json"]);
        let rows = plan["questions"].as_array().expect("a list").iter().find(|it| it["id"] == "table-rows");
        let rows = rows.expect("is asked").clone();
        (plan["target"]["version"].clone(), rows["answer"].clone(), rows["source"].clone())
    };
    assert_eq!(of(BILLING), ("11".into(), "4000000".into(), "lockkeeper.toml:18".into()));
    assert_eq!(of(WEB), ("16".into(), "1000".into(), "lockkeeper.toml:8".into()));
    let batches = |path: &str| {
        let arguments = ["rewrite", path, "--strategy", "database-triggers", "--format", "json"];
        let rewrite = json(folder.path(), &arguments);
        rewrite.to_string().contains("250")
    };
    assert_eq!((batches(BILLING), batches(WEB)), (true, false));
    let signals = json(folder.path(), &["signals", "services/billing", "--format", "json"]);
    assert!(signals.to_string().contains("4000000"), "{signals}");
}

#[test]
fn a_part_that_is_not_there_is_refused_by_its_line() {
    let folder = repository(&format!("{CONFIG}\n[[paths]]\npath = \"services/biling\"\n"));
    let output = Command::new(lockkeeper()).arg("check").current_dir(folder.path()).output().expect("starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("lockkeeper.toml:28: there is no `services/biling` in the project"), "{said}");
}

#[test]
fn a_folder_of_migrations_has_one_server() {
    let entry = format!("[[paths]]\npath = \"{WEB}\"\ntarget-version = 14\n");
    let folder = repository(&format!("{CONFIG}\n{entry}"));
    let output = Command::new(lockkeeper()).arg("check").current_dir(folder.path()).output().expect("starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("which has one framework, engine, version and time zone"), "{said}");
    // Severities may be those of one file.
    let entry = format!("[[paths]]\npath = \"{WEB}\"\nseverity = {{ no-lock-timeout = \"off\" }}\n");
    let folder = repository(&format!("{CONFIG}\n{entry}"));
    let report = json(folder.path(), &["check", "--format", "json"]);
    assert!(!rules(&report, WEB).contains(&"no-lock-timeout".to_owned()), "{report}");
}

#[test]
fn init_states_what_is_different_for_a_part() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("has a folder")).expect("can be made");
        std::fs::write(path, text).expect("can be written");
    };
    for (service, version) in [("billing", 13), ("web", 16)] {
        write(&format!("{service}/db/migrations/001_first.sql"), FIRST);
        write(
            &format!("{service}/compose.yaml"),
            &format!("services:\n  db:\n    image: postgres:{version}\n"),
        );
    }
    std::fs::create_dir(folder.path().join(".git")).expect("can be made");
    let targets = |folder: &Path| {
        let report = json(folder, &["check", "--format", "json"]);
        let files = report["files"].as_array().expect("a list").clone();
        files.iter().map(|it| (it["path"].clone(), it["target"]["version"].clone())).collect::<Vec<_>>()
    };
    let before = targets(folder.path());
    let state = tempfile::tempdir().expect("a temporary folder");
    let output = Command::new(lockkeeper())
        .args(["init", "--yes", "--part", "config"])
        .current_dir(folder.path())
        .env("LOCKKEEPER_STATE_DIR", state.path())
        .output()
        .expect("starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let config = std::fs::read_to_string(folder.path().join("lockkeeper.toml")).expect("is written");
    assert!(config.contains("[[paths]]\npath = \"web/db/migrations\"\ntarget-version = \"16"), "{config}");
    assert_eq!(targets(folder.path()), before, "{config}");
    assert_ne!(before[0].1, before[1].1, "{before:?}");
}
