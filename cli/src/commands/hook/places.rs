//! Places that an agent must not change past its human: the ledger's folder, the state folder, migrations, and the hook's own entry.

use std::path::{Component, Path, PathBuf};

use lockkeeper_approval::books::Books;
use lockkeeper_approval::ledger::PATH as LEDGER;
use lockkeeper_approval::state::State;
use lockkeeper_core::text::quoted;
use lockkeeper_project::{Project, discover};

use super::shell::Word;
use super::verdict::Verdict;
use crate::commands::approve::now;

/// The project around a call, opened when it is needed.
pub struct Places {
    pub root: PathBuf,
    state: Option<PathBuf>,
    project: std::cell::OnceCell<Result<Project, String>>,
}

/// How a command changes a path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Change<'a> {
    /// It gets a text, which may be known.
    Written(Option<&'a str>),
    /// It goes, with all that is in it.
    Removed,
}

/// Where hosts are told of the hook.
const HOOK_FILES: [&str; 4] =
    [".claude/settings.json", ".claude/settings.local.json", ".codex/hooks.json", ".codex/config.toml"];
const LEDGER_FOLDER: &str = ".lockkeeper";
const SHOWN: usize = 120;

impl Places {
    pub fn new(folder: &Path) -> Result<Self, String> {
        let root = discover::root(folder).map_err(|error| error.to_string())?;
        let state = State::place().ok().map(|it| resolved(&it));
        Ok(Self { root: resolved(&root), state, project: std::cell::OnceCell::new() })
    }

    /// The project; a broken configuration is an error, and errors close.
    pub fn project(&self) -> Result<&Project, &str> {
        let open = || discover::open(&self.root).map_err(|error| error.to_string());
        self.project.get_or_init(open).as_ref().map_err(String::as_str)
    }

    /// A word as a path that is changed. Relative ones are looked for in each of the folders.
    pub fn changed(&self, word: &Word, folders: &[PathBuf], change: Change<'_>) -> Verdict {
        match word.known() {
            Some("/dev/null" | "/dev/stderr" | "/dev/stdout" | "/dev/tty" | "-" | "") => Verdict::Pass,
            Some(path) => Verdict::strongest(folders, |folder| self.changed_path(&folder.join(path), change)),
            None => {
                Verdict::strongest(folders, |folder| self.changed_below(&folder.join(word.start()), change))
            }
        }
    }

    /// A path that is changed.
    pub fn changed_path(&self, path: &Path, change: Change<'_>) -> Verdict {
        let path = resolved(path);
        if let Some(verdict) = self.guarded(&path, change == Change::Removed) {
            return verdict;
        }
        let Ok(relative) = path.strip_prefix(&self.root) else { return Verdict::Pass };
        let relative = relative.to_string_lossy().replace('\\', "/");
        if HOOK_FILES.contains(&relative.as_str()) {
            return Verdict::Ask(format!(
                "{} is where your agent is told of this hook, and it would be changed",
                quoted(&relative, SHOWN)
            ));
        }
        match change {
            Change::Written(text) if may_be_migration(&relative) => self.migration(&relative, text),
            Change::Removed => self.removed(&relative),
            Change::Written(_) => Verdict::Pass,
        }
    }

    /// The ledger's folder and the state folder, and what is around them when it goes as a whole.
    fn guarded(&self, path: &Path, with_all_in_it: bool) -> Option<Verdict> {
        let is_in = |guarded: &Path| path.starts_with(guarded) || with_all_in_it && guarded.starts_with(path);
        if self.state.as_deref().is_some_and(is_in) {
            return Some(Verdict::Refuse(
                "that is the folder in which your human's approvals are kept".to_owned(),
            ));
        }
        let in_ledger = path.strip_prefix(&self.root).is_ok_and(is_in_ledger_folder);
        let holds_ledger = with_all_in_it && self.root.join(LEDGER_FOLDER).starts_with(path);
        (in_ledger || holds_ledger).then(|| {
            Verdict::Refuse(
                "only Lockkeeper and your human change .lockkeeper: what is written there by others opens nothing and closes every gate"
                    .to_owned(),
            )
        })
    }

    /// A path of which only the start is known.
    fn changed_below(&self, start: &Path, change: Change<'_>) -> Verdict {
        let text = start.to_string_lossy();
        // The last part is the start of a name.
        let around = if text.ends_with('/') { start } else { start.parent().unwrap_or(start) };
        let around = resolved(around);
        let is_ours = around.starts_with(&self.root) || self.root.starts_with(&around);
        let is_state =
            self.state.as_ref().is_some_and(|it| it.starts_with(&around) || around.starts_with(it));
        if is_state && !self.root.starts_with(&around)
            || around.strip_prefix(&self.root).is_ok_and(is_in_ledger_folder)
        {
            return self.guarded(&around, true).unwrap_or(Verdict::Pass);
        }
        let is_migrations = || {
            let relative =
                around.strip_prefix(&self.root).unwrap_or(Path::new("")).to_string_lossy().into_owned();
            self.project().map_or(true, |it| {
                folders(it).any(|folder| is_around(&relative, folder) || is_around(folder, &relative))
            })
        };
        if is_ours && is_migrations() {
            let what = if change == Change::Removed { "removed" } else { "written" };
            return Verdict::Unread(format!(
                "which files of {} would be {what} is known only at run time, and migrations may be among them",
                quoted(&around.to_string_lossy(), SHOWN)
            ));
        }
        Verdict::Pass
    }

    fn migration(&self, relative: &str, text: Option<&str>) -> Verdict {
        let project = match self.project() {
            Ok(project) => project,
            Err(error) => {
                return Verdict::Refuse(format!(
                    "the project cannot be read, so nothing is let through: {error}"
                ));
            }
        };
        if !is_migration(project, relative) {
            return Verdict::Pass;
        }
        // Without a ledger nothing was approved, and nothing of the user is opened.
        let has_ledger = self.root.join(LEDGER).is_file();
        let is_open = has_ledger
            && text
                .is_some_and(|text| Books::of(project).is_ok_and(|it| it.lets_write(relative, text, now())));
        if is_open {
            return Verdict::Pass;
        }
        Verdict::Ask(format!(
            "{} is a migration, and no approval is open for this text in it. The tools draft_plan, request_approval and \
             write_migrations of `lockkeeper mcp` write migrations that your human has approved",
            quoted(relative, SHOWN)
        ))
    }

    fn removed(&self, relative: &str) -> Verdict {
        let Ok(project) = self.project() else { return Verdict::Pass };
        let holds = folders(project).any(|it| is_around(relative, it));
        if holds || is_migration(project, relative) {
            return Verdict::Ask(format!(
                "{} is or holds migrations, which would be gone",
                quoted(relative, SHOWN)
            ));
        }
        Verdict::Pass
    }

    /// A path that is only read: the state folder holds a secret.
    pub fn read(&self, path: &Path) -> Verdict {
        let path = resolved(path);
        match self.state.as_deref().is_some_and(|state| path.starts_with(state)) {
            true => Verdict::Refuse("that is the folder in which your human's approvals are kept".to_owned()),
            false => Verdict::Pass,
        }
    }

    /// Whether a text names one of the places that only Lockkeeper writes.
    pub fn are_named_in(&self, text: &str) -> bool {
        let named_state = || self.state.as_ref().is_some_and(|it| text.contains(&*it.to_string_lossy()));
        text.to_ascii_lowercase().contains(LEDGER_FOLDER)
            || text.contains("state/lockkeeper")
            || named_state()
    }
}

/// Whatever the file system makes of letters.
fn is_in_ledger_folder(relative: &Path) -> bool {
    let first = relative.components().next();
    first.is_some_and(|it| it.as_os_str().to_string_lossy().eq_ignore_ascii_case(LEDGER_FOLDER))
}

/// All folders of migrations, read or not.
fn folders(project: &Project) -> impl Iterator<Item = &str> {
    let read = project.folders.iter().map(|it| it.path.as_str());
    read.chain(project.not_analysed.iter().map(|it| it.path.as_str()))
}

/// Whether a folder is another one or lies around it.
fn is_around(folder: &str, other: &str) -> bool {
    folder.is_empty() || other == folder || other.strip_prefix(folder).is_some_and(|it| it.starts_with('/'))
}

/// Looked at before the project is opened, which takes longer.
fn may_be_migration(relative: &str) -> bool {
    let lower = relative.to_ascii_lowercase();
    let Some((stem, extension)) = lower.rsplit_once('.') else { return false };
    match extension {
        "sql" | "psql" | "pgsql" => true,
        "rb" | "py" | "js" | "ts" | "mjs" | "cjs" | "exs" | "php" | "cs" | "xml" | "yaml" | "yml"
        | "json" => ["migrat", "versions", "changelog"].iter().any(|it| stem.contains(it)),
        _ => false,
    }
}

fn is_migration(project: &Project, relative: &str) -> bool {
    let extension = |path: &str| path.rsplit_once('.').map(|(_, it)| it.to_ascii_lowercase());
    let is_sql = matches!(extension(relative).as_deref(), Some("sql" | "psql" | "pgsql"));
    let folder = relative.rsplit_once('/').map_or("", |(it, _)| it);
    let in_code = project.not_analysed.iter().any(|it| it.path == folder) && !is_sql;
    // A project's first migration has no folder yet.
    let is_first = folders(project).next().is_none()
        && folder.split('/').any(|it| it.to_ascii_lowercase().contains("migrat"));
    in_code || is_sql && (is_first || project.classify_file(Path::new(relative)).folder().is_some())
}

/// The path without links, as far as it is there; `..` behind that goes up.
fn resolved(path: &Path) -> PathBuf {
    let mut there = path.to_owned();
    let mut rest = Vec::new();
    loop {
        if let Ok(found) = there.canonicalize() {
            let mut whole = found;
            for part in rest.iter().rev() {
                match Path::new(part).components().next() {
                    Some(Component::ParentDir) => drop(whole.pop()),
                    _ => whole.push(part),
                }
            }
            return whole;
        }
        let last = there.components().next_back().map(|it| it.as_os_str().to_owned());
        match (last, there.pop()) {
            (Some(last), true) => rest.push(last),
            _ => return path.to_owned(),
        }
    }
}
