//! The hook's decision: what a call would do, read without doing any of it.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use lockkeeper_core::framework::{Does, runner_command};
use lockkeeper_core::text::quoted;
use lockkeeper_project::policy;

use super::host::{Call, Deed, patched};
use super::places::{Change, Places};
use super::programs::{Program, Started, assignment, is_language, is_shell, started};
use super::shell::{self, Command, Input, Script, Word};
use super::verdict::Verdict;
use super::{databases, files, psql, scripts};

/// What is known while a text is read.
pub struct Judge {
    pub places: Places,
    /// The folders in which the commands may run: `cd` adds one.
    pub folders: RefCell<Vec<PathBuf>>,
    /// What was exported before.
    exported: RefCell<Vec<(String, Word)>>,
    /// How many texts stand around this one.
    pub depth: usize,
}

/// Texts that start texts are followed so far.
const DEEPEST: usize = 6;
const SHOWN: usize = 80;

/// What is said of a call.
pub fn judge(call: &Call) -> Result<Verdict, String> {
    let folder = call
        .folder
        .canonicalize()
        .map_err(|error| format!("{} cannot be opened: {error}", call.folder.display()))?;
    let judge = Judge {
        places: Places::new(&folder)?,
        folders: RefCell::new(vec![folder]),
        exported: RefCell::default(),
        depth: 0,
    };
    Ok(Verdict::strongest(&call.deeds, |deed| judge.deed(deed)))
}

impl Judge {
    fn deed(&self, deed: &Deed) -> Verdict {
        let first = self.folders.borrow()[0].clone();
        match deed {
            Deed::Shell(text) => self.text(text),
            Deed::Write { path, text } => {
                self.places.changed_path(&first.join(path), Change::Written(text.as_deref()))
            }
            Deed::Read { path } => self.places.read(&first.join(path)),
        }
    }

    /// A text for a shell.
    pub fn text(&self, text: &str) -> Verdict {
        let script = shell::read(text);
        let found = Verdict::strongest(0..script.commands.len(), |index| self.command(&script, index));
        found.or(|| match script.problem {
            Some(why) => Verdict::Unread(format!("the command line cannot be read whole: {why}")),
            None => Verdict::Pass,
        })
    }

    /// A text that stands inside of another.
    pub fn inner(&self, word: &Word) -> Verdict {
        let Some(text) = word.known() else {
            return Verdict::Unread("a text for a shell is known only at run time".to_owned());
        };
        if self.depth >= DEEPEST {
            return Verdict::Unread("texts for shells are nested too deeply".to_owned());
        }
        self.deeper().text(text)
    }

    /// The same, one text further in.
    pub fn deeper(&self) -> Self {
        Self {
            places: Places::new(&self.places.root).unwrap_or_else(|_| unreachable!("it was opened before")),
            folders: self.folders.clone(),
            exported: self.exported.clone(),
            depth: self.depth + 1,
        }
    }

    /// Words that are a command by themselves.
    pub fn words(&self, words: Vec<Word>) -> Verdict {
        let commands = vec![Command { words, ..Command::default() }];
        self.command(&Script { commands, problem: None }, 0)
    }

    fn command(&self, script: &Script, index: usize) -> Verdict {
        let command = &script.commands[index];
        let text = output_of(command);
        let folders = self.folders.borrow().clone();
        let written = Verdict::strongest(&command.outputs, |it| {
            self.places.changed(it, &folders, Change::Written(text.as_deref()))
        });
        written.or(|| match started(command) {
            Started::Nothing => self.variables(&command.assignments),
            Started::Unknown => Verdict::Unread("which program runs is known only at run time".to_owned()),
            Started::Text(word) => self.inner(&word),
            Started::Program(program) => {
                self.variables(&program.assignments).or(|| self.program(script, command, &program))
            }
        })
    }

    /// Another state folder is another set of approvals.
    fn variables(&self, assignments: &[(String, Word)]) -> Verdict {
        match assignments.iter().any(|(name, _)| name == "LOCKKEEPER_STATE_DIR") {
            true => Verdict::Refuse(
                "LOCKKEEPER_STATE_DIR would put other approvals in place of your human's".to_owned(),
            ),
            false => Verdict::Pass,
        }
    }

    fn program(&self, script: &Script, command: &Command, program: &Program) -> Verdict {
        let folders = self.folders.borrow().clone();
        let changed = Verdict::strongest(files::changed(program), |(word, change)| {
            self.places.changed(&word, &folders, change)
        });
        changed.or(|| self.named_places(program)).or(|| self.runner(program)).or(|| {
            match program.name.as_str() {
                "cd" | "pushd" => self.go(program),
                "export" | "declare" | "typeset" | "local" | "readonly" => self.export(program),
                "lockkeeper" => lockkeeper(program),
                "psql" | "pgcli" | "usql" => self.psql(script, command, program),
                "apply_patch" => self.patch(command),
                "find" => self.find(program),
                "make" | "gmake" | "just" | "task" => scripts::targets(self, program),
                "npm" | "pnpm" | "yarn" | "bun" => scripts::package(self, program),
                "." | "source" => scripts::shell_file(self, program.operands().next()),
                name if is_shell(name) => self.shell(script, command, program),
                name if is_language(name) => self.language(command, program),
                _ => scripts::by_path(self, &program.path),
            }
        })
    }

    /// `.lockkeeper` and the state folder in the words of a program that is not known to only read.
    fn named_places(&self, program: &Program) -> Verdict {
        const READERS: [&str; 23] = [
            "cat",
            "ls",
            "head",
            "tail",
            "grep",
            "rg",
            "less",
            "more",
            "jq",
            "wc",
            "stat",
            "file",
            "diff",
            "test",
            "[",
            "echo",
            "printf",
            "tree",
            "bat",
            "git",
            "cd",
            "lockkeeper",
            "sha256sum",
        ];
        let folders = self.folders.borrow().clone();
        let state = Verdict::strongest(&program.arguments, |word| {
            let is_text = matches!(program.name.as_str(), "echo" | "printf" | "grep" | "rg" | "git");
            if is_text || word.start().is_empty() {
                return Verdict::Pass;
            }
            Verdict::strongest(&folders, |folder| self.places.read(&folder.join(word.start())))
        });
        state.or(|| {
            let named = || program.arguments.iter().any(|it| self.places.are_named_in(&it.text));
            let git_discards = || {
                program.name == "git"
                    && program.known().iter().any(|it| matches!(*it, "checkout" | "restore" | "clean"))
            };
            if (!READERS.contains(&program.name.as_str()) || git_discards()) && named() {
                return Verdict::Ask(format!(
                    "{} is given .lockkeeper, where the ledger of approvals is",
                    quoted(&program.name, SHOWN)
                ));
            }
            Verdict::Pass
        })
    }

    /// A framework's own program that changes a database.
    fn runner(&self, program: &Program) -> Verdict {
        let Some(found) = runner_command(&program.name, &program.known()) else { return Verdict::Pass };
        if program.known().iter().any(|it| matches!(*it, "--help" | "--version"))
            || self.is_disposable(program)
        {
            return Verdict::Pass;
        }
        let (what, spelled) = (found.framework, found.spelled());
        let way_out = "For a database that may be lost, a person commits `[databases.NAME] disposable = true` in \
                       lockkeeper.toml, and the command names it";
        match found.does {
            Does::Destroys => Verdict::Refuse(format!(
                "`{spelled}` of {what} loses data or takes a schema back. {way_out}; else your human runs it"
            )),
            Does::Deploys => {
                Verdict::Ask(format!("`{spelled}` of {what} changes a database past every gate. {way_out}"))
            }
        }
    }

    fn is_disposable(&self, program: &Program) -> bool {
        let policy = self.places.project().ok().and_then(|it| policy::in_force(it).ok());
        policy.is_some_and(|it| databases::is_disposable(program, &self.exported.borrow(), &it.disposable))
    }

    fn go(&self, program: &Program) -> Verdict {
        let Some(word) = program.operands().next() else { return Verdict::Pass };
        let Some(path) = word.known() else {
            return Verdict::Unread("into which folder `cd` goes is known only at run time".to_owned());
        };
        let mut folders = self.folders.borrow_mut();
        let more: Vec<PathBuf> =
            folders.iter().map(|it| it.join(path)).filter(|it| !folders.contains(it)).collect();
        folders.extend(more);
        folders.truncate(16);
        Verdict::Pass
    }

    fn export(&self, program: &Program) -> Verdict {
        let set: Vec<(String, Word)> = program.arguments.iter().filter_map(assignment).collect();
        let verdict = self.variables(&set);
        self.exported.borrow_mut().extend(set);
        verdict
    }

    fn psql(&self, script: &Script, command: &Command, program: &Program) -> Verdict {
        if self.is_disposable(program) {
            return Verdict::Pass;
        }
        Verdict::strongest(psql::sources(program), |source| match source {
            psql::Source::Text(word) => psql::judge(word.known()),
            psql::Source::File(word) => psql::judge(self.read(&word).as_deref()),
            psql::Source::Input => match self.input(script, command) {
                Given::Nothing => Verdict::Pass,
                Given::Text(text) => psql::judge(Some(&text)),
                Given::Unknown => psql::judge(None),
            },
        })
    }

    fn patch(&self, command: &Command) -> Verdict {
        match &command.input {
            Input::Text(word) if word.known().is_some() => {
                Verdict::strongest(patched(&word.text), |deed| self.deed(&deed))
            }
            _ => Verdict::Unread("what the patch changes is known only at run time".to_owned()),
        }
    }

    fn find(&self, program: &Program) -> Verdict {
        let words = &program.arguments;
        let folders = self.folders.borrow().clone();
        let starts: Vec<&Word> =
            words.iter().take_while(|it| !it.start().starts_with(['-', '(', '!'])).collect();
        let deletes = words.iter().any(|it| it.known() == Some("-delete"));
        let deleted = Verdict::strongest(starts.into_iter().filter(|_| deletes), |it| {
            self.places.changed(it, &folders, Change::Removed)
        });
        deleted.or(|| {
            let at = words.iter().position(|it| matches!(it.known(), Some("-exec" | "-execdir" | "-ok")));
            let Some(at) = at else { return Verdict::Pass };
            let run = words[at + 1..].iter().take_while(|it| !matches!(it.known(), Some(";" | "+")));
            let found = |it: &Word| if it.known() == Some("{}") { Word::unknown() } else { it.clone() };
            self.words(run.map(found).collect())
        })
    }

    fn shell(&self, script: &Script, command: &Command, program: &Program) -> Verdict {
        if let Some(file) = program.operands().next() {
            return scripts::shell_file(self, Some(file));
        }
        match self.input(script, command) {
            Given::Nothing => Verdict::Pass,
            Given::Text(text) => self.inner(&Word::fixed(&text)),
            Given::Unknown => {
                Verdict::Unread("what is piped into a shell is known only at run time".to_owned())
            }
        }
    }

    fn language(&self, command: &Command, program: &Program) -> Verdict {
        let inline = program
            .arguments
            .iter()
            .position(|it| matches!(it.known(), Some("-c" | "-e" | "--eval" | "-p" | "-r" | "--print")));
        let text = match (inline, &command.input) {
            (Some(at), _) => program.arguments.get(at + 1).cloned(),
            (None, Input::Text(word))
                if program.operands().next().is_none_or(|it| it.known() == Some("-")) =>
            {
                Some(word.clone())
            }
            (None, _) => return scripts::code_file(self, program),
        };
        text.map_or(Verdict::Pass, |it| scripts::code(self, &it.text))
    }

    /// What a command reads on standard input.
    fn input(&self, script: &Script, command: &Command) -> Given {
        match &command.input {
            Input::Inherited => Given::Nothing,
            Input::Text(word) => word.known().map_or(Given::Unknown, |it| Given::Text(it.to_owned())),
            Input::File(word) => self.read(word).map_or(Given::Unknown, Given::Text),
            Input::Group => Given::Unknown,
            Input::Command(index) => {
                let before = &script.commands[*index];
                if let Some(text) = output_of(before) {
                    return Given::Text(text);
                }
                let Started::Program(program) = started(before) else { return Given::Unknown };
                let files: Vec<&Word> = program.operands().collect();
                match (program.name.as_str(), files.as_slice()) {
                    ("cat", [file]) => self.read(file).map_or(Given::Unknown, Given::Text),
                    _ => Given::Unknown,
                }
            }
        }
    }

    /// A file's text, where it can be told which one it is.
    pub fn read(&self, word: &Word) -> Option<String> {
        let path = word.known()?;
        let folders = self.folders.borrow();
        let texts: Vec<String> = folders.iter().filter_map(|it| read(&it.join(path))).collect();
        (texts.len() == 1).then(|| texts.into_iter().next()).flatten()
    }
}

/// Larger files are not read.
const LARGEST: u64 = 1_000_000;

fn read(path: &Path) -> Option<String> {
    let data = std::fs::metadata(path).ok()?;
    if !data.is_file() || data.len() > LARGEST {
        return None;
    }
    String::from_utf8(std::fs::read(path).ok()?).ok()
}

/// What is known of a standard input.
enum Given {
    Nothing,
    Text(String),
    Unknown,
}

/// What a command prints, where that stands in it.
fn output_of(command: &Command) -> Option<String> {
    let words: Option<Vec<&str>> = command.words.iter().map(Word::known).collect();
    match (words?.as_slice(), &command.input) {
        (["cat"], Input::Text(word)) => word.known().map(str::to_owned),
        (["echo", words @ ..], _) if !words.first().is_some_and(|it| it.starts_with('-')) => {
            Some(words.join(" ") + "\n")
        }
        (["printf", text], _) if !text.contains(['%', '\\']) => Some((*text).to_owned()),
        _ => None,
    }
}

/// Lockkeeper's own commands that are for people, or write.
fn lockkeeper(program: &Program) -> Verdict {
    let words = program.known();
    let command = program.operands().next().and_then(Word::known).unwrap_or_default();
    let writes = |option: &str| words.contains(&option);
    match command {
        "approve" => Verdict::Refuse(
            "only your human approves, at a terminal of their own. Tell them the plan and the gate, or call request_approval".to_owned(),
        ),
        "ledger" if words.contains(&"accept") => {
            Verdict::Refuse("only your human accepts a changed ledger, at a terminal of their own".to_owned())
        }
        "rewrite" | "plan" if writes("--write") => Verdict::Ask(format!(
            "`lockkeeper {command} --write` writes files past the gate. write_migrations and write_report of `lockkeeper mcp` write what \
             your human has approved"
        )),
        "check" if writes("--fix") || writes("--write-baseline") => {
            Verdict::Ask("`lockkeeper check` would change migrations or what is accepted in them".to_owned())
        }
        "init" => Verdict::Ask("`lockkeeper init` changes how this project uses Lockkeeper, this hook included".to_owned()),
        _ => Verdict::Pass,
    }
}
