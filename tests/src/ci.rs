//! The steps of the GitHub Action, run as its runner runs them: on a pull request's worth of change, with a `gh` that remembers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::binaries::{lockkeeper, root};
use crate::desk::Desk;

/// Answers as `gh api` does about comments that lie in a file, one a line.
const GH: &str = r#"#!/usr/bin/env bash
call="$*"
echo "$call" >> "$CALLS"
case "$call" in
  *--jq*) if [ -s "$COMMENTS" ]; then echo 41; fi ;;
  *body=@*) body="${call#*body=@}"; cp "${body%% *}" "$COMMENTS" ;;
esac
"#;

struct Runner {
    desk: Desk,
}

impl Runner {
    /// The example with a branch that changes nothing yet.
    fn new() -> Runner {
        let runner = Runner { desk: Desk::new() };
        runner.git(&["init", "--quiet", "--initial-branch", "main"]);
        runner.commit();
        runner.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
        let bin = runner.at("bin");
        fs::create_dir(&bin).expect("can be made");
        fs::write(bin.join("gh"), GH).expect("can be written");
        let executable = Command::new("chmod").arg("+x").arg(bin.join("gh")).status();
        assert!(executable.expect("it starts").success());
        runner
    }

    fn at(&self, path: &str) -> PathBuf {
        self.desk.folder.path().join(path)
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.at(path)).unwrap_or_default()
    }

    fn git(&self, arguments: &[&str]) {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=a", "-c", "user.email=a@example.org"]).args(arguments);
        let output = git.current_dir(self.at("project")).output().expect("git starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "x"]);
    }

    fn step(&self, script: &str, variables: &[(&str, &str)]) -> Output {
        let built = lockkeeper();
        let folders = [&self.at("bin"), built.parent().expect("lies in a folder")].map(Path::to_owned);
        let usual = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(folders.into_iter().chain(std::env::split_paths(&usual)));
        let mut bash = Command::new("bash");
        bash.arg(root().join("ci").join(script)).current_dir(self.at("project"));
        bash.env("PATH", path.expect("paths")).env("GITHUB_OUTPUT", self.at("output"));
        bash.env("COMMENT", self.at("comment.md")).env("COMMENTS", self.at("comments"));
        bash.env("CALLS", self.at("calls")).env("REPOSITORY", "o/r").env("NUMBER", "7");
        bash.env("SARIF", self.at("lockkeeper.sarif")).envs(variables.iter().copied());
        let output = bash.output().expect("bash starts");
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        output
    }

    fn check(&self, variables: &[(&str, &str)]) -> (String, String) {
        let _ = fs::remove_file(self.at("output"));
        let output = self.step("check.sh", variables);
        (String::from_utf8(output.stdout).expect("is text"), self.read("output"))
    }
}

#[test]
fn a_pull_request_is_annotated_and_commented_once() {
    let runner = Runner::new();
    let migration = "project/db/migrations/20260301000000_drop.sql";
    fs::write(runner.at(migration), "-- migrate:up\nDROP TABLE orders;\n-- migrate:down\nSELECT 1;\n")
        .expect("can be written");
    runner.commit();
    let (annotations, code) = runner.check(&[("BASE_REF", "main")]);
    assert!(
        annotations.contains("::error file=db/migrations/20260301000000_drop.sql,line=2,"),
        "{annotations}"
    );
    // What was there before is not this pull request's.
    assert!(!annotations.contains("rename_user_name"), "{annotations}");
    assert_eq!(code, "exit-code=1\n");
    assert!(runner.read("lockkeeper.sarif").contains("\"version\": \"2.1.0\""));

    runner.step("comment.sh", &[]);
    assert_eq!(runner.read("comments"), runner.read("comment.md"));
    assert!(runner.read("calls").contains("--method POST repos/o/r/issues/7/comments "));

    // The next push makes it right: the same comment says so.
    fs::write(runner.at(migration), "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 1;\n")
        .expect("can be written");
    runner.commit();
    assert_eq!(runner.check(&[("BASE_REF", "main")]).1, "exit-code=0\n");
    runner.step("comment.sh", &[]);
    assert!(runner.read("comments").contains("✅ This check passes."), "{}", runner.read("comments"));
    let calls = runner.read("calls");
    assert_eq!(calls.matches("--method POST").count(), 1, "{calls}");
    assert!(calls.contains("--method PATCH repos/o/r/issues/comments/41 "), "{calls}");
}

/// Nothing in an input is run: it is words for one program.
#[test]
fn arguments_are_words() {
    let runner = Runner::new();
    let (_, code) = runner.check(&[("ARGUMENTS", "--fail-on note --rule no-lock-timeout")]);
    assert_eq!(code, "exit-code=1\n");
    for odd in ["$(touch ran)", "; touch ran", "`touch ran`"] {
        assert_eq!(runner.check(&[("ARGUMENTS", odd)]).1, "exit-code=2\n", "{odd}");
        assert!(runner.check(&[("SINCE", odd)]).1.starts_with("exit-code="));
    }
    assert!(!runner.at("project/ran").exists());
}

#[test]
fn the_source_of_the_cache_is_a_digest_of_what_is_built() {
    let runner = Runner::new();
    runner.step("source.sh", &[("RUNNER_TOOL_CACHE", "/tools")]);
    let output = runner.read("output");
    let digest = output.lines().find_map(|line| line.strip_prefix("digest=")).expect("is told");
    assert!(output.starts_with("folder=/tools/lockkeeper\n"), "{output}");
    assert!(digest.len() == 64 && digest.bytes().all(|it| it.is_ascii_hexdigit()), "{digest}");
}

/// A room that is left out would keep an old program in the cache.
#[test]
fn the_source_of_the_cache_names_every_room_that_is_built() {
    let script = fs::read_to_string(root().join("ci/source.sh")).expect("is there");
    let line = script.lines().find(|line| line.contains("find ")).expect("it looks for files");
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("is there");
    let manifest: toml::Table = manifest.parse().expect("is TOML");
    let members = manifest["workspace"]["members"].as_array().expect("a list");
    let members: Vec<&str> = members.iter().filter_map(|it| it.as_str()).collect();
    for room in members.iter().filter(|it| !["tests", "xtask"].contains(it)) {
        assert!(line.split_whitespace().any(|word| word == *room), "{room} is not in: {line}");
    }
}
