//! Which program a command really starts: behind `sudo`, `env`, `npx`, `docker exec`, `bundle exec`, and their like.

use lockkeeper_core::framework::is_runner;

use super::shell::{Command, Word};

/// A program with its arguments.
#[derive(Debug, Clone, Default)]
pub struct Program {
    /// Without its folder and the version of a package.
    pub name: String,
    /// As it was written.
    pub path: String,
    pub arguments: Vec<Word>,
    /// What is set for it.
    pub assignments: Vec<(String, Word)>,
}

/// What a command starts.
pub enum Started {
    /// Nothing: it only sets variables or redirects.
    Nothing,
    Program(Program),
    /// A text for a shell: `sh -c`, `ssh HOST`.
    Text(Word),
    /// Its name is known only at run time.
    Unknown,
}

impl Program {
    /// The arguments of which something is known.
    pub fn known(&self) -> Vec<&str> {
        self.arguments.iter().filter_map(Word::known).collect()
    }

    /// The arguments that are no options.
    pub fn operands(&self) -> impl Iterator<Item = &Word> {
        self.arguments.iter().filter(|it| !it.start().starts_with('-'))
    }
}

/// A program that starts another one.
struct Wrapper {
    /// The program and the words after it that make it one.
    words: &'static [&'static str],
    /// Options that take the next word.
    valued: &'static [&'static str],
    /// How many words stand before the program that it starts: a container, a time.
    skipped: usize,
}

const fn wrapper(words: &'static [&'static str]) -> Wrapper {
    Wrapper { words, valued: &[], skipped: 0 }
}

impl Wrapper {
    const fn valued(self, valued: &'static [&'static str]) -> Self {
        Self { valued, ..self }
    }

    const fn skips(self, skipped: usize) -> Self {
        Self { skipped, ..self }
    }

    /// The words that are left of the call of another program.
    fn unwrapped<'a>(&self, name: &str, words: &'a [Word]) -> Option<&'a [Word]> {
        if self.words[0] != name {
            return None;
        }
        let mut rest = &words[1..];
        for word in &self.words[1..] {
            rest = after_options(rest, self.valued, false);
            if rest.first().and_then(Word::known) != Some(word) {
                return None;
            }
            rest = &rest[1..];
        }
        rest = after_options(rest, self.valued, true);
        for _ in 0..self.skipped {
            rest = rest.get(1..).unwrap_or_default();
            rest = after_options(rest, self.valued, true);
        }
        Some(rest)
    }
}

/// What stands behind options, and behind the `--` that ends them.
fn after_options<'a>(mut words: &'a [Word], valued: &[&str], ends: bool) -> &'a [Word] {
    while let Some(word) = words.first() {
        if word.known() == Some("--") {
            return if ends { &words[1..] } else { words };
        }
        if !word.start().starts_with('-') || word.start() == "-" {
            break;
        }
        let takes_next = word.known().is_some_and(|it| valued.contains(&it));
        words = words.get(1 + usize::from(takes_next)..).unwrap_or_default();
    }
    words
}

const CONTAINER: &[&str] = &[
    "-e",
    "--env",
    "-u",
    "--user",
    "-w",
    "--workdir",
    "--env-file",
    "-f",
    "--file",
    "-p",
    "--project-name",
    "--profile",
    "-v",
    "--volume",
    "--name",
    "--network",
    "--entrypoint",
    "--platform",
    "-l",
    "--label",
    "--mount",
    "--index",
    "-n",
    "--namespace",
    "-c",
    "--container",
    "--context",
];
const PACKAGE: &[&str] =
    &["-p", "--package", "-c", "--call", "--filter", "-F", "-w", "--workspace", "-C", "--cwd", "--prefix"];

static WRAPPERS: &[Wrapper] = &[
    wrapper(&["sudo"]).valued(&["-u", "-g", "-h", "-p", "-C", "-D", "-R", "-T", "--user", "--group"]),
    wrapper(&["doas"]).valued(&["-u", "-C"]),
    wrapper(&["nice"]).valued(&["-n"]),
    wrapper(&["ionice"]).valued(&["-c", "-n"]),
    wrapper(&["stdbuf"]).valued(&["-i", "-o", "-e"]),
    wrapper(&["timeout"]).valued(&["-k", "-s", "--kill-after", "--signal"]).skips(1),
    wrapper(&["watch"]).valued(&["-n", "--interval"]),
    wrapper(&["nohup"]),
    wrapper(&["setsid"]),
    wrapper(&["time"]).valued(&["-f", "-o"]),
    wrapper(&["command"]),
    wrapper(&["builtin"]),
    wrapper(&["exec"]).valued(&["-a"]),
    wrapper(&["caffeinate"]),
    wrapper(&["unbuffer"]),
    wrapper(&["xargs"]).valued(&[
        "-I",
        "-n",
        "-P",
        "-d",
        "-L",
        "-s",
        "-a",
        "-E",
        "--max-args",
        "--max-procs",
        "--delimiter",
    ]),
    wrapper(&["parallel"]).valued(&["-j", "--jobs"]),
    wrapper(&["npx"]).valued(PACKAGE),
    wrapper(&["bunx"]).valued(PACKAGE),
    wrapper(&["pnpx"]).valued(PACKAGE),
    wrapper(&["npm", "exec"]).valued(PACKAGE),
    wrapper(&["npm", "x"]).valued(PACKAGE),
    wrapper(&["pnpm", "exec"]).valued(PACKAGE),
    wrapper(&["pnpm", "dlx"]).valued(PACKAGE),
    wrapper(&["yarn", "exec"]).valued(PACKAGE),
    wrapper(&["yarn", "dlx"]).valued(PACKAGE),
    wrapper(&["bun", "x"]).valued(PACKAGE),
    wrapper(&["bundle", "exec"]),
    wrapper(&["poetry", "run"]),
    wrapper(&["pipenv", "run"]),
    wrapper(&["pdm", "run"]),
    wrapper(&["rye", "run"]),
    wrapper(&["hatch", "run"]),
    wrapper(&["uv", "run"]).valued(&[
        "--with",
        "--python",
        "-p",
        "--extra",
        "--group",
        "--project",
        "--env-file",
    ]),
    wrapper(&["uvx"]).valued(&["--with", "--from", "--python", "-p"]),
    wrapper(&["pipx", "run"]).valued(&["--spec"]),
    wrapper(&["dotenv"]).valued(&["-e", "-f", "--env-file"]),
    wrapper(&["doppler", "run"]).valued(&["-p", "-c", "--project", "--config"]),
    wrapper(&["op", "run"]),
    wrapper(&["direnv", "exec"]).skips(1),
    wrapper(&["mise", "exec"]),
    wrapper(&["mise", "x"]),
    wrapper(&["heroku", "run"]).valued(&["-a", "--app", "-r", "--remote"]),
    wrapper(&["docker", "compose", "exec"]).valued(CONTAINER).skips(1),
    wrapper(&["docker", "compose", "run"]).valued(CONTAINER).skips(1),
    wrapper(&["docker-compose", "exec"]).valued(CONTAINER).skips(1),
    wrapper(&["docker-compose", "run"]).valued(CONTAINER).skips(1),
    wrapper(&["docker", "exec"]).valued(CONTAINER).skips(1),
    wrapper(&["docker", "run"]).valued(CONTAINER).skips(1),
    wrapper(&["podman", "exec"]).valued(CONTAINER).skips(1),
    wrapper(&["podman", "run"]).valued(CONTAINER).skips(1),
    wrapper(&["kubectl", "exec"]).valued(CONTAINER).skips(1),
    wrapper(&["php"]).valued(&["-d", "-c"]),
];

/// Programs that a language runs by the name of their file.
const BY_FILE: &[&str] =
    &["manage.py", "artisan", "console", "rails", "rake", "prisma", "drizzle-kit", "typeorm", "knex"];
const LANGUAGES: &[&str] = &["python", "python3", "node", "ruby", "php", "bun", "deno", "tsx", "ts-node"];
const SHELLS: &[&str] = &["sh", "bash", "zsh", "dash", "ksh", "ash"];

/// Programs that run the text behind their `-c`, and are no shells.
const OF_TEXT: &[&str] = &["script", "su", "runuser", "flock", "nix-shell", "nix"];

fn is_command_option(word: &Word) -> bool {
    let text = word.start();
    matches!(text, "--command" | "--run")
        || text.starts_with('-') && !text.starts_with("--") && text.ends_with('c')
}

/// Whether a name is that of a shell.
pub fn is_shell(name: &str) -> bool {
    SHELLS.contains(&name)
}

/// Whether a name is that of a language's program.
pub fn is_language(name: &str) -> bool {
    LANGUAGES.contains(&name) || name.starts_with("python3.") || name == "perl"
}

/// What a command starts. Wrappers may stand in wrappers.
pub fn started(command: &Command) -> Started {
    let mut words: &[Word] = &command.words;
    let mut assignments = command.assignments.clone();
    let mut more = Vec::new();
    loop {
        let Some(first) = words.first() else { return Started::Nothing };
        let Some(path) = first.known() else { return Started::Unknown };
        let name = base(path);
        if name == "env" {
            words = environment(&words[1..], &mut assignments);
            continue;
        }
        if name == "ssh" {
            let rest =
                after_options(&words[1..], &["-p", "-i", "-l", "-o", "-F", "-J", "-L", "-R", "-D"], true);
            return rest
                .get(1..)
                .filter(|it| !it.is_empty())
                .map_or(Started::Nothing, |it| Started::Text(joined(it)));
        }
        if is_shell(name)
            && let Some(text) = text_of_shell(&words[1..])
        {
            return Started::Text(text.clone());
        }
        if OF_TEXT.contains(&name)
            && let Some(text) = words.iter().skip_while(|it| !is_command_option(it)).nth(1)
        {
            return Started::Text(text.clone());
        }
        if name == "eval" {
            return Started::Text(joined(&words[1..]));
        }
        if is_language(name)
            && let Some(rest) = of_language(&words[1..])
        {
            words = rest;
            continue;
        }
        if let Some((name, arguments)) = of_image(name, words) {
            let arguments = arguments.to_vec();
            return Started::Program(Program { path: name.clone(), name, arguments, assignments });
        }
        match WRAPPERS.iter().find_map(|it| it.unwrapped(name, words)) {
            Some(rest) => {
                // What xargs adds is known only at run time.
                more.extend((name == "xargs" || name == "parallel").then(Word::unknown));
                words = rest;
            }
            None => {
                let (name, path) = (name.to_owned(), path.to_owned());
                let arguments = [&words[1..], &more].concat();
                return Started::Program(Program { name, path, arguments, assignments });
            }
        }
    }
}

/// `docker run IMAGE …` of an image that is a framework's program.
fn of_image<'a>(name: &str, words: &'a [Word]) -> Option<(String, &'a [Word])> {
    let runs = matches!(name, "docker" | "podman") && words.get(1).and_then(Word::known) == Some("run");
    let (first, arguments) =
        after_options(words.get(2..)?, CONTAINER, true).split_first().filter(|_| runs)?;
    image(first).filter(|it| is_runner(it)).map(|it| (it.to_owned(), arguments))
}

/// The last part of a path, without the version of a package: `prisma` of `prisma@5` and of `node_modules/.bin/prisma`.
fn base(path: &str) -> &str {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let name = name.strip_suffix(".exe").or_else(|| name.strip_suffix(".cmd")).unwrap_or(name);
    name.split_once('@').map_or(name, |(name, _)| name)
}

/// The name of an image, whose own program it mostly is: `dbmate` of `amacneil/dbmate:2`.
fn image(word: &Word) -> Option<&str> {
    let name = base(word.known()?);
    Some(name.split_once(':').map_or(name, |(name, _)| name))
}

/// `env NAME=value … program`.
fn environment<'a>(words: &'a [Word], assignments: &mut Vec<(String, Word)>) -> &'a [Word] {
    let mut words = after_options(words, &["-u", "-C", "--unset", "--chdir"], true);
    while let Some((name, value)) = words.first().and_then(assignment) {
        assignments.push((name, value));
        words = &words[1..];
    }
    words
}

/// A word as `NAME=value`.
pub fn assignment(word: &Word) -> Option<(String, Word)> {
    let (name, _) = word.start().split_once('=')?;
    let is_name = !name.is_empty() && name.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
    is_name.then(|| (name.to_owned(), word.after(name.len() + 1)))
}

/// The text of `-c`, also in `-lc` and `-euo pipefail -c`.
fn text_of_shell(words: &[Word]) -> Option<&Word> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let start = word.start();
        if !start.starts_with(['-', '+']) {
            return None;
        }
        if !start.starts_with("--") && start.contains('c') {
            return words.next();
        }
        if start.ends_with('o') || start.ends_with('O') {
            words.next();
        }
    }
    None
}

/// `-m module …`, and files that are programs which we know.
fn of_language(words: &[Word]) -> Option<&[Word]> {
    let first = words.first()?;
    match first.known() {
        Some("-m") => Some(&words[1..]).filter(|it| !it.is_empty()),
        Some("-S") => Some(&words[1..]).filter(|it| !it.is_empty()),
        Some(file) if BY_FILE.contains(&base(file)) => Some(words),
        Some("ace") => Some(words),
        _ => None,
    }
}

fn joined(words: &[Word]) -> Word {
    let known: Option<Vec<&str>> = words.iter().map(Word::known).collect();
    known.map_or_else(Word::unknown, |it| Word::fixed(&it.join(" ")))
}
