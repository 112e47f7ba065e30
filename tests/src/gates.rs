//! The commands about gates, as people run them: killed at any moment, with state where it must not be.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crate::binaries::lockkeeper;
use crate::desk::Desk;

const MIGRATION: &str = "db/migrations/20260114100000_rename_user_name.sql";

impl Desk {
    /// The id of a new plan.
    pub fn plan(&self) -> String {
        let output = self.run(&["plan", MIGRATION, "--write"]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let id = told.split("stored as plan ").nth(1).expect(&told);
        id[..16].to_owned()
    }

    /// A new key of that name: the path of its private half.
    pub fn key(&self, name: &str) -> String {
        let key = self.folder.path().join(name);
        let mut make = Command::new("ssh-keygen");
        make.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key);
        assert!(make.status().expect("OpenSSH is installed").success());
        key.display().to_string()
    }

    /// Commits the project with this key's owner as the one who may sign.
    pub fn commit_signer(&self, key: &str) {
        let project = self.folder.path().join("project");
        std::fs::write(project.join("allowed_signers"), signer(key)).expect("can be written");
        let configuration = project.join("lockkeeper.toml");
        let text = std::fs::read_to_string(&configuration).expect("is there");
        let text = format!("{text}\n[approval]\nallowed-signers = \"allowed_signers\"\n");
        std::fs::write(&configuration, text).expect("can be written");
        git(&project, &["init", "-q"]);
        git(&project, &["add", "-A"]);
        git(&project, &["-c", "user.name=x", "-c", "user.email=x@y", "commit", "-q", "-m", "x"]);
    }

    #[track_caller]
    fn verifies(&self) -> String {
        let output = self.run(&["ledger", "verify"]);
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
        told
    }
}

/// Each process is killed a little later than the one before: the ledger is whole each time, and nothing is lost.
#[test]
fn a_killed_command_leaves_a_whole_ledger() {
    let desk = Desk::new();
    let plan = desk.plan();
    let arguments = ["reject", &plan, "strategy"];
    let (mut finished, mut killed) = (0, 0);
    for turn in 0..60 {
        let mut child = desk.command(&arguments).spawn().expect("it can be started");
        std::thread::sleep(Duration::from_micros(500 * turn));
        let ended = child.try_wait().expect("it is ours").is_some_and(|it| it.success());
        if ended {
            finished += 1;
        } else {
            killed += 1;
            child.kill().expect("it is ours");
            child.wait().expect("it is ours");
        }
        desk.verifies();
    }
    assert!(killed > 0, "every process was faster than its end");
    let told = desk.verifies();
    let entries: u32 = told.split(' ').next().and_then(|it| it.parse().ok()).unwrap_or(0);
    assert!(entries >= 2 * finished, "{finished} finished: {told}");
}

#[test]
fn nobody_is_asked_without_a_terminal_and_nothing_opens() {
    let desk = Desk::new();
    let plan = desk.plan();
    let mut approve = Command::new("setsid");
    approve.arg(lockkeeper()).args(["approve", &plan, "strategy"]);
    approve.current_dir(desk.folder.path().join("project"));
    approve.env("LOCKKEEPER_STATE_DIR", desk.folder.path().join("state"));
    let output = approve.output().expect("it can be started");
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(desk.run(&["gates", &plan]).status.code(), Some(4));
}

#[test]
fn state_in_the_project_is_refused() {
    let desk = Desk::new();
    let inside = desk.folder.path().join("project/.state");
    let output = desk
        .command(&["plan", MIGRATION, "--write"])
        .env("LOCKKEEPER_STATE_DIR", &inside)
        .output()
        .expect("it can be started");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains("lies in the project"), "{told}");
}

/// A committed ledger that is longer, and one that was cut, close the gate and fail the command.
#[test]
fn what_is_committed_is_part_of_every_decision() {
    let desk = Desk::new();
    let plan = desk.plan();
    assert!(desk.run(&["reject", &plan, "strategy"]).status.success());
    let project = desk.folder.path().join("project");
    let ledger = project.join(".lockkeeper/ledger.jsonl");
    let whole = std::fs::read_to_string(&ledger).expect("is there");
    std::fs::write(&ledger, format!("{whole}{{}}\n")).expect("can be written");
    git(&project, &["init", "-q"]);
    git(&project, &["add", "-A"]);
    git(&project, &["-c", "user.name=x", "-c", "user.email=x@y", "commit", "-q", "-m", "x"]);
    std::fs::write(&ledger, whole).expect("can be written");
    let output = desk.run(&["ledger", "verify"]);
    assert_eq!(output.status.code(), Some(4));
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("ledger line 4 differs from the committed ledger")
    );
    let gates = desk.run(&["gates", &plan]);
    assert!(String::from_utf8_lossy(&gates.stdout).contains("cannot be trusted"));
}

/// A signature by a committed signer opens what a terminal cannot; a signer who is only in the working copy signs nothing.
#[test]
fn a_committed_signer_opens_a_keyed_gate() {
    let desk = Desk::new();
    let project = desk.folder.path().join("project");
    let (ana, eve) = (desk.key("ana"), desk.key("eve"));
    desk.commit_signer(&ana);
    let plan = desk.plan();
    let approve = |key: &str| desk.run(&["approve", &plan, "destructive", "--key", key]);

    let told = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let unsigned = desk.run(&["approve", &plan, "destructive"]);
    assert!(told(&unsigned).contains("--key"), "{}", told(&unsigned));
    assert!(told(&approve(&eve)).contains("not among the allowed signers"));
    std::fs::write(project.join("allowed_signers"), signer(&ana) + &signer(&eve)).expect("can be written");
    assert!(told(&approve(&eve)).contains("not among the allowed signers"));
    let list = desk.run(&["gates"]);
    assert!(
        String::from_utf8_lossy(&list.stdout).contains("Changed and not committed: allowed_signers: 1 lines")
    );
    let signed = approve(&ana);
    assert!(signed.status.success(), "{}", told(&signed));
    assert!(told(&signed).contains("signed by ana@example.org"), "{}", told(&signed));
    let gates = desk.run(&["gates", &plan]);
    assert!(String::from_utf8_lossy(&gates.stdout).contains("destructive: open until"));
    assert!(desk.run(&["revoke", &plan, "destructive"]).status.success());
    assert!(!String::from_utf8_lossy(&desk.run(&["gates", &plan]).stdout).contains("open until"));
    desk.verifies();
}

/// The line of the file of allowed signers.
fn signer(key: &str) -> String {
    let name = Path::new(key).file_name().expect("a name").to_string_lossy();
    let public = std::fs::read_to_string(format!("{key}.pub")).expect("is there");
    format!("{name}@example.org {public}")
}

/// Files that are written where nobody is asked stand in the ledger, before and after what else stands there, and open nothing.
#[test]
fn what_is_written_unattended_is_told() {
    let desk = Desk::new();
    let told = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let rewritten =
        desk.command(&["rewrite", MIGRATION, "--write"]).stdin(Stdio::null()).output().expect("runs");
    assert!(rewritten.status.success(), "{}", told(&rewritten));
    assert!(told(&rewritten).contains("written unattended"), "{}", told(&rewritten));
    assert!(desk.verifies().starts_with("1 entries"));
    let desk = Desk::new();
    let stated = desk.run(&["rewrite", MIGRATION, "--write", "--yes"]);
    assert!(stated.status.success() && !told(&stated).contains("unattended"), "{}", told(&stated));
    let ledger = desk.folder.path().join("project/.lockkeeper/ledger.jsonl");
    let line = std::fs::read_to_string(ledger).expect("is there");
    assert!(
        line.contains("\"event\":\"unattended\"") && line.contains("\"action\":\"write_migrations\""),
        "{line}"
    );
    let again = Desk::new();
    let plan = again.plan();
    assert!(again.verifies().starts_with("1 entries"));
    let gates = again.run(&["gates", &plan]);
    assert!(String::from_utf8_lossy(&gates.stdout).contains("nobody has approved this yet"));
    assert_eq!(again.run(&["plan", MIGRATION, "--yes"]).status.code(), Some(2), "--yes is about writing");
}

fn git(folder: &Path, arguments: &[&str]) {
    let status =
        Command::new("git").arg("-C").arg(folder).args(arguments).status().expect("git is installed");
    assert!(status.success(), "{arguments:?}");
}
