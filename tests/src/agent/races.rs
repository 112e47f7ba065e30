//! Each moment between the approval and the last byte that is written, raced: something changes while the server writes.
//!
//! However it ends, only what was approved is written, whole or not at all, once, and inside of the project.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::MIGRATION;
use super::client::{Agent, Era};
use super::soak::is_whole;
use super::workspace::{Workspace, approved, status};
use crate::binaries::root;

/// What somebody does in the project at the worst moment.
#[derive(Clone, Copy, Debug)]
enum Race {
    /// The migration gets another text.
    Source,
    /// The migration becomes a link to another file.
    SourceLinked,
    /// Where the last file belongs lies a link to a file outside.
    TargetLinked,
    /// The folder of migrations becomes a link to one outside.
    FolderLinked,
    /// The policy is loosened.
    Policy,
    /// The ledger gets another story.
    Ledger,
    /// `.lockkeeper` becomes a link to a copy.
    LedgerLinked,
    /// Another server writes the same.
    Rival,
}

const RACES: &[Race] = &[
    Race::Source,
    Race::SourceLinked,
    Race::TargetLinked,
    Race::FolderLinked,
    Race::Policy,
    Race::Ledger,
    Race::LedgerLinked,
    Race::Rival,
];
/// So many moments of each: each a little later than the one before.
fn moments() -> u32 {
    if is_whole() { 60 } else { 10 }
}

/// A workspace with a plan, and how often it was written.
struct Stage {
    workspace: Workspace,
    agent: Agent,
    rival: Agent,
    plan: String,
    promised: Vec<(PathBuf, String)>,
    before: Files,
    takes: Duration,
    written: usize,
    /// Writes that failed while the ledger was away: that an approval came back could not be written down.
    lost: usize,
}

type Files = BTreeMap<PathBuf, Vec<u8>>;

#[test]
fn no_moment_of_a_write_can_be_raced() {
    let (mut tried, mut written) = (0, 0_u32);
    let mut stage = Stage::set();
    for race in RACES {
        for moment in 0..moments() {
            written += u32::from(stage.race(*race, moment));
            tried += 1;
            // Lines that went into a ledger that was replaced are lost, and then the gates stay closed.
            if matches!(race, Race::Ledger) {
                stage = Stage::set();
            }
        }
    }
    stage.settle();
    println!("{tried} writes raced, {written} of them written, 0 wrote anything else");
    assert_eq!(tried, 8 * moments());
    assert!(written >= 5 && written < tried, "{written}: the moments are too early or too late");
}

impl Stage {
    fn set() -> Stage {
        let workspace = Workspace::new();
        let mut agent = workspace.agent(Era::Stateless);
        let rival = workspace.agent(Era::Initialize);
        let plan = approved(&mut agent);
        let promised = agent.call("get_plan", json!({"plan": plan}))["files"].clone();
        let promised = promised.as_array().expect("a list").iter().map(file).collect();
        let before = workspace.files();
        let begun = Instant::now();
        assert_eq!(status(&agent.call("write_migrations", json!({"plan": plan}))), "written");
        let takes = begun.elapsed();
        assert_eq!(status(&agent.call("write_report", json!({"plan": plan}))), "written");
        let stage = Stage { workspace, agent, rival, plan, promised, before, takes, written: 1, lost: 0 };
        stage.restore();
        stage
    }

    /// Whether it was written all the same.
    fn race(&mut self, race: Race, moment: u32) -> bool {
        let Stage { workspace, agent, rival, plan, promised, .. } = self;
        let call = json!({"plan": plan});
        if status(&agent.call("gate_status", call.clone())) != "open" {
            assert_eq!(approved(agent), *plan, "the same change is the same plan");
        }
        let attack = format!("{race:?} at {moment}/{}", moments());
        let wait = self.takes * moment / moments();
        let (answer, other) = std::thread::scope(|scope| {
            let write = scope.spawn(|| agent.call("write_migrations", call.clone()));
            std::thread::sleep(wait);
            let other = strike(workspace, race, promised, rival, plan);
            (write.join().expect("it answers"), other)
        });
        let writes = usize::from(status(&answer) == "written") + usize::from(other == "written");
        assert!(writes <= 1, "{attack}: {answer} and {other}");
        calm(workspace, race);
        if workspace.project().join(".lockkeeper-writing.json").exists() {
            // What was made in a folder that went away is taken back when it is there again.
            let output = workspace.command(&["rewrite", MIGRATION]).output().expect("it can be started");
            assert!(output.status.success(), "{attack}: {}", String::from_utf8_lossy(&output.stderr));
        }
        self.check(writes == 1, &attack);
        self.restore();
        if matches!(race, Race::Ledger) {
            return writes == 1;
        }
        self.written += writes;
        self.lost += usize::from(matches!(race, Race::LedgerLinked) && writes == 0);
        assert!(self.workspace.verifies(), "{attack}");
        if writes == 1 {
            // The report is the rest of what was approved.
            let report = self.agent.call("write_report", json!({"plan": self.plan}));
            assert_eq!(status(&report), "written", "{attack}: {report}");
            self.restore();
        }
        writes == 1
    }

    /// Each write stands in the ledger, each use wrote, and no approval counts twice. One whose ledger was taken away is spent.
    fn settle(&self) {
        let of = |event: &str| {
            let lines = self.workspace.ledger();
            lines.iter().filter(|it| it["event"] == event && it["action"] == "write_migrations").count()
        };
        let uses = of("used") - of("returned");
        assert!(
            (self.written..=self.written + self.lost).contains(&uses),
            "{uses} uses, {} writes",
            self.written
        );
        assert!(self.written <= self.workspace.told("approved"));
    }
}

/// A file of the plan: where it is written, and its text.
fn file(it: &Value) -> (PathBuf, String) {
    (it["path"].as_str().expect("a path").into(), it["text"].as_str().expect("a text").to_owned())
}

/// Does it once; what a rival server answers.
fn strike(
    workspace: &Workspace,
    race: Race,
    promised: &[(PathBuf, String)],
    rival: &mut Agent,
    plan: &str,
) -> String {
    let project = workspace.project();
    let (migration, ledger) = (project.join(MIGRATION), project.join(".lockkeeper"));
    let outside = workspace.base().join("outside");
    match race {
        Race::Source => {
            // One that can be planned as well: whoever does not compare would write it.
            let text = fs::read_to_string(root().join("examples/shop").join(MIGRATION)).expect("is there");
            replace(&migration, &text.replace("full_name", "display_name"));
        }
        Race::SourceLinked => {
            symlink(outside.join("secret.sql"), project.join("new")).expect("can be made");
            fs::rename(project.join("new"), &migration).expect("is there");
        }
        Race::TargetLinked => {
            let last = promised.iter().rfind(|it| it.0 != Path::new(MIGRATION)).expect("one is new");
            // It may have been written by now.
            let _ = symlink(outside.join("secret.sql"), project.join(&last.0));
        }
        Race::FolderLinked => {
            let folder = migration.parent().expect("is in a folder");
            fs::rename(folder, workspace.base().join("aside")).expect("is there");
            symlink(&outside, folder).expect("can be made");
        }
        Race::Policy => {
            let path = project.join("lockkeeper.toml");
            let text = fs::read_to_string(&path).expect("is there");
            replace(&path, &format!("{text}\n[severity]\nrenamed-column = \"off\"\n"));
        }
        Race::Ledger => replace(&ledger.join("ledger.jsonl"), "{}\n"),
        Race::LedgerLinked => {
            fs::rename(&ledger, workspace.base().join("aside")).expect("is there");
            symlink(workspace.base().join("aside"), &ledger).expect("can be made");
        }
        Race::Rival => return status(&rival.call("write_migrations", json!({"plan": plan}))).to_owned(),
    }
    String::new()
}

/// Takes back what stands in the way of looking.
fn calm(workspace: &Workspace, race: Race) {
    let project = workspace.project();
    let aside = workspace.base().join("aside");
    let back = |path: &Path| {
        fs::remove_file(path).expect("is a link");
        fs::rename(&aside, path).expect("is there");
    };
    match race {
        Race::FolderLinked => back(project.join(MIGRATION).parent().expect("is in a folder")),
        Race::LedgerLinked => back(&project.join(".lockkeeper")),
        _ => {}
    }
}

impl Stage {
    /// Whole or nothing, as it was approved, and nothing outside.
    #[track_caller]
    fn check(&self, is_written: bool, attack: &str) {
        let Stage { workspace, before, promised, .. } = self;
        let project = workspace.project();
        let now = workspace.files();
        for (path, text) in now.iter().filter(|(path, _)| !path.starts_with(&project)) {
            assert_eq!(before.get(path), Some(text), "{attack}: {} changed or was made", path.display());
        }
        let places = [project.join("db"), project.join(".lockkeeper/held")];
        let new = |path: &PathBuf| places.iter().any(|it| path.starts_with(it)) && !before.contains_key(path);
        for (path, text) in now.iter().filter(|(path, _)| new(path)) {
            let promised = promised.iter().find(|it| project.join(&it.0) == *path);
            let promised =
                promised.unwrap_or_else(|| panic!("{attack}: {} is none of the plan", path.display()));
            let is_link = path.symlink_metadata().is_ok_and(|it| it.is_symlink());
            assert!(is_link || (is_written && promised.1.as_bytes() == text), "{attack}: {}", path.display());
        }
        if is_written {
            let missing = promised.iter().find(|it| !now.contains_key(&project.join(&it.0)));
            assert!(missing.is_none(), "{attack}: {missing:?} is missing");
        }
    }

    /// The project as it was.
    fn restore(&self) {
        let Stage { workspace, before, .. } = self;
        for path in workspace.files().keys().filter(|path| !before.contains_key(*path)) {
            fs::remove_file(path).expect("is there");
        }
        for (path, text) in before {
            if path.symlink_metadata().is_ok_and(|it| it.is_symlink()) {
                fs::remove_file(path).expect("is there");
            }
            if fs::read(path).ok().as_ref() != Some(text) {
                fs::write(path, text).expect("can be written");
            }
        }
    }
}

/// As editors save: whole, by a rename.
fn replace(path: &Path, text: &str) {
    let new = path.with_extension("new");
    fs::write(&new, text).expect("can be written");
    fs::rename(new, path).expect("can be replaced");
}
