//! Each file that a gate rests on, damaged in each way: in the project's `.lockkeeper` and in the user's state folder.
//!
//! The state folder is its user's own, so damage there is no attack but an accident: a full disk, a backup put back, another program.
//! It must close gates, or leave them as they were; it must open none, lose no file, and never make a server hang.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::MIGRATION;
use super::client::{Agent, Era};
use super::soak::is_whole;
use super::workspace::{Workspace, approved, status};

/// How a file is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Damage {
    Removed,
    Emptied,
    Halved,
    Doubled,
    Flipped,
    Random,
    /// What another file of ours holds.
    Swapped,
    LinkToItself,
    LinkToCopy,
    LinkOutside,
    DanglingLink,
    Folder,
    Pipe,
    OpenToAll,
    Unreadable,
}

const DAMAGES: &[Damage] = &[
    Damage::Removed,
    Damage::Emptied,
    Damage::Halved,
    Damage::Doubled,
    Damage::Flipped,
    Damage::Random,
    Damage::Swapped,
    Damage::LinkToItself,
    Damage::LinkToCopy,
    Damage::LinkOutside,
    Damage::DanglingLink,
    Damage::Folder,
    Damage::Pipe,
    Damage::OpenToAll,
    Damage::Unreadable,
];

impl Damage {
    /// Whether it does something to a folder too.
    fn is_of_folders(self) -> bool {
        !matches!(self, Damage::Halved | Damage::Doubled | Damage::Flipped | Damage::Random | Damage::Swapped)
    }
}

#[test]
fn no_damaged_file_opens_a_gate() {
    let workspace = Workspace::new();
    let mut agent = workspace.agent(Era::Stateless);
    let other = agent.call("draft_plan", json!({"sql": "ALTER TABLE users ADD note text;", "name": "note"}));
    let other = other["plan_id"].as_str().expect("a plan").to_owned();
    let plan = approved(&mut agent);
    let promised = agent.call("get_plan", json!({"plan": plan}))["files"].clone();
    let kept = kept(&workspace);
    assert!(kept.len() >= 8, "{kept:?}");
    let mut tried = 0;
    for (file, path) in kept.iter().enumerate() {
        for (turn, damage) in DAMAGES.iter().enumerate() {
            // The gate takes every other one: each file, and each damage.
            let is_taken = is_whole() || (file + turn) % 2 == 0;
            if !is_taken || !(path.is_file() || damage.is_of_folders()) {
                continue;
            }
            let attack =
                format!("{} {damage:?}", path.strip_prefix(workspace.base()).expect("is in it").display());
            attacked(&workspace, (path, &kept), *damage, &attack, |workspace| {
                // A server that runs, and one that finds it so.
                is_closed(&mut agent, &other, &attack);
                let mut fresh = workspace.agent(Era::Initialize);
                is_closed(&mut fresh, &other, &attack);
                writes_what_was_approved(workspace, &mut fresh, (&plan, &promised), &attack);
            });
            tried += 1;
        }
    }
    assert_eq!(status(&agent.call("gate_status", json!({"plan": plan}))), "open", "all is as it was");
    assert_eq!(status(&agent.call("write_migrations", json!({"plan": plan}))), "written");
    println!("{tried} damaged files, 0 opened a gate");
    assert!(tried >= if is_whole() { 240 } else { 120 }, "{tried}");
}

/// All that the gates rest on.
fn kept(workspace: &Workspace) -> Vec<PathBuf> {
    let mut found =
        vec![workspace.project().join(".lockkeeper/ledger.jsonl"), workspace.project().join(".lockkeeper")];
    let mut folders = vec![workspace.state()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("is a folder").filter_map(Result::ok) {
            if entry.path().is_dir() {
                folders.push(entry.path());
            }
            found.push(entry.path());
        }
    }
    found.sort();
    found
}

/// Damages a file, looks what comes of it, and puts everything back as it was.
fn attacked(
    workspace: &Workspace,
    (path, kept): (&Path, &[PathBuf]),
    damage: Damage,
    attack: &str,
    look: impl FnOnce(&Workspace),
) {
    let saved = workspace.base().join("saved");
    for (part, name) in [(workspace.state(), "state"), (workspace.project().join(".lockkeeper"), "ledger")] {
        copy(&part, &saved.join(name));
    }
    let before = workspace.files();
    apply(workspace, (path, kept), damage);
    let secret = fs::read(workspace.base().join("outside/secret.sql")).expect("is there");
    look(workspace);
    let now = fs::read(workspace.base().join("outside/secret.sql")).expect("is there");
    assert!(secret == now && !workspace.base().join("nowhere").exists(), "{attack}: written outside");
    for (part, name) in [(workspace.state(), "state"), (workspace.project().join(".lockkeeper"), "ledger")] {
        remove(&part);
        copy(&saved.join(name), &part);
    }
    fs::remove_dir_all(saved).expect("is there");
    for (file, text) in &before {
        if fs::read(file).is_ok_and(|it| it != *text) {
            fs::write(file, text).expect("can be written");
        }
    }
    for file in workspace.files().keys().filter(|it| !before.contains_key(*it)) {
        fs::remove_file(file).expect("is there");
    }
}

fn apply(workspace: &Workspace, (path, kept): (&Path, &[PathBuf]), damage: Damage) {
    let bytes = fs::read(path).unwrap_or_default();
    let aside = workspace.base().join("aside");
    let put = |bytes: &[u8]| {
        if path.is_file() {
            fs::write(path, bytes).expect("can be written");
        }
    };
    let link = |target: &Path| {
        fs::rename(path, &aside).expect("is there");
        symlink(target, path).expect("can be made");
    };
    remove(&aside);
    match damage {
        Damage::Removed => remove(path),
        Damage::Emptied if path.is_dir() => {
            remove(path);
            fs::create_dir(path).expect("can be made");
        }
        Damage::Emptied => put(b""),
        Damage::Halved => put(&bytes[..bytes.len() / 2]),
        Damage::Doubled => put(&bytes.repeat(2)),
        Damage::Flipped => {
            let mut bytes = bytes;
            let middle = bytes.len() / 2;
            bytes.iter_mut().skip(middle).take(1).for_each(|it| *it ^= 1);
            put(&bytes);
        }
        Damage::Random => put(&[0xff; 100]),
        Damage::Swapped => {
            let other =
                kept.iter().rfind(|it| it.is_file() && *it != path && it.extension() == path.extension());
            put(&other.map(|it| fs::read(it).expect("is there")).unwrap_or_default());
        }
        Damage::LinkToItself => {
            remove(path);
            symlink(path, path).expect("can be made");
        }
        Damage::LinkToCopy => link(&aside),
        Damage::LinkOutside => link(&workspace.base().join("outside/secret.sql")),
        Damage::DanglingLink => link(&workspace.base().join("nowhere")),
        Damage::Folder => {
            remove(path);
            fs::create_dir(path).expect("can be made");
        }
        Damage::Pipe => {
            remove(path);
            assert!(Command::new("mkfifo").arg(path).status().expect("is there").success());
        }
        Damage::OpenToAll => fs::set_permissions(path, Permissions::from_mode(0o777)).expect("is ours"),
        Damage::Unreadable => fs::set_permissions(path, Permissions::from_mode(0o000)).expect("is ours"),
    }
}

/// What nobody approved stays closed.
#[track_caller]
fn is_closed(agent: &mut Agent, plan: &str, attack: &str) {
    for tool in ["gate_status", "write_report"] {
        let answer = agent.call(tool, json!({"plan": plan}));
        assert!(matches!(status(&answer), "approval_required" | "error"), "{attack}: {tool}: {answer}");
    }
}

/// What was approved is written as it was approved, or not at all.
#[track_caller]
fn writes_what_was_approved(
    workspace: &Workspace,
    agent: &mut Agent,
    (plan, promised): (&str, &Value),
    attack: &str,
) {
    let before = workspace.files();
    let answer = agent.call("write_migrations", json!({"plan": plan}));
    if status(&answer) != "written" {
        return workspace.is_as(&before, attack);
    }
    let promised = promised.as_array().expect("a list");
    assert!(promised.len() > 3, "{attack}: {promised:?}");
    for file in promised {
        let path = workspace.project().join(file["path"].as_str().expect("a path"));
        assert_eq!(
            fs::read_to_string(&path).ok().as_deref(),
            file["text"].as_str(),
            "{attack}: {}",
            path.display()
        );
    }
    let new = workspace.files().into_keys().filter(|it| !before.contains_key(it)).count();
    let replaced = promised.iter().filter(|it| it["path"] == MIGRATION).count();
    assert_eq!(new, promised.len() - replaced, "{attack}");
    let again = agent.call("write_migrations", json!({"plan": plan}));
    assert_ne!(status(&again), "written", "{attack}: an approval counts once");
}

fn remove(path: &Path) {
    match path.symlink_metadata() {
        Ok(it) if it.is_dir() => fs::remove_dir_all(path).expect("can be removed"),
        Ok(_) => fs::remove_file(path).expect("can be removed"),
        Err(_) => {}
    }
}

/// With permissions: they are part of what is looked at.
fn copy(from: &Path, to: &Path) {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).expect("can be made");
    }
    let copied = Command::new("cp").args(["-a", "--"]).args([from, to]).status().expect("is there");
    assert!(copied.success(), "{}", from.display());
}
