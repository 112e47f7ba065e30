//! Signals that files show: what runs the migrations, what watches the database, what could undo a mistake.
//!
//! A table of words in configuration files and manifests. A word that is found is evidence; one that is not found
//! proves nothing, so the value is then unknown and never "no".

mod stores;
mod table;

use aho_corasick::AhoCorasick;
use lockkeeper_core::signals::{Conflict, Evidence, Signal};

use crate::discover::Project;
use crate::files::File;
use crate::owners::Owners;
use crate::secret;
use crate::target::{self, Sighting};
use table::{Facts, SIGNALS, Where};

/// Files above this size are locks and data, not configuration.
const MAX_SIZE: u64 = 300_000;

/// At most so many places are shown for a signal.
const MAX_EVIDENCE: usize = 5;

/// All signals of a project, known and unknown, in the order of the table; engine and framework first.
pub fn signals(project: &Project) -> Vec<Signal> {
    let mut signals = vec![engine(project), stores::datastores(project), framework(project)];
    signals.extend(by_words(project));
    signals.push(tests_on_engine(project));
    signals.push(owner(project));
    signals
}

fn engine(project: &Project) -> Signal {
    let implication = "decides what each statement locks and whether it scans or rewrites";
    let seen = target::sightings(project);
    let Some(first) = seen.first() else {
        let engines = project.folders.iter().filter_map(|folder| Some((folder.dialect?, folder)));
        let Some((dialect, folder)) = engines.into_iter().next() else {
            return Signal::unknown("engine", implication);
        };
        let evidence =
            Evidence { path: folder.path.clone(), line: 1, excerpt: folder.dialect_source.clone() };
        return Signal::observed(
            "engine",
            format!("{}, version unknown", dialect.title()),
            vec![evidence],
            implication,
        );
    };
    let value = format!("{} {}", first.dialect.title(), first.version.major);
    let evidence = seen.iter().take(MAX_EVIDENCE).map(|it| Evidence {
        path: it.path.clone(),
        line: it.line,
        excerpt: secret::excerpt(&it.text),
    });
    let conflicts = conflicts(first, &seen);
    let signal = Signal::observed("engine", value, evidence.collect(), implication);
    match target::stated_version(project) {
        // What the configuration states is what a person says.
        Some((version, source)) => signal.stated(format!("{} {version}", first.dialect.title()), source),
        None => Signal { conflicts, ..signal },
    }
}

/// Places that say another version of the same engine. One that lists several of them, this one too, tests on all: it says nothing of production.
fn conflicts(first: &Sighting, seen: &[Sighting]) -> Vec<Conflict> {
    let telling = || seen.iter().filter(|it| it.dialect == first.dialect && target::tells(&it.path));
    let differs = |it: &&Sighting| it.version.major != first.version.major;
    let agrees_too =
        |path: &str| telling().any(|it| it.path == path && it.version.major == first.version.major);
    let mut found: Vec<Conflict> = telling()
        .filter(differs)
        .filter(|it| !agrees_too(&it.path))
        .map(|it| Conflict {
            value: format!("{} {}", it.dialect.title(), it.version.major),
            source: format!("{}:{}", it.path, it.line),
        })
        .collect();
    found.truncate(MAX_EVIDENCE);
    found
}

fn framework(project: &Project) -> Signal {
    let implication = "decides in what transaction a migration runs and how new ones are written";
    if project.folders.is_empty() {
        return Signal::unknown("framework", implication);
    }
    let mut titles: Vec<&str> = project.folders.iter().map(|folder| folder.framework.title).collect();
    titles.sort_unstable();
    titles.dedup();
    let evidence = project.folders.iter().map(|folder| Evidence {
        path: folder.path.clone(),
        line: 1,
        excerpt: format!("{} migrations of {}", folder.migrations.len(), folder.framework.title),
    });
    Signal::observed("framework", titles.join(", "), evidence.collect(), implication)
}

/// A workflow that starts the engine, or a library that does.
fn tests_on_engine(project: &Project) -> Signal {
    let implication = "migrations and queries that are tested on the real engine fail before production does";
    let is_ci = |path: &str| table::is_ci(path);
    let seen = target::sightings(project).into_iter().filter(|it| is_ci(&it.path));
    let services: Vec<Evidence> = seen
        .map(|it| Evidence { path: it.path, line: it.line, excerpt: secret::excerpt(&it.text) })
        .collect();
    let libraries = of_facts(project, std::slice::from_ref(&table::TEST_LIBRARIES)).pop();
    let libraries = libraries.filter(Signal::is_there);
    let what = match (services.is_empty(), &libraries) {
        (true, None) => return Signal::unknown("tests-on-engine", implication),
        (false, None) => "a service in CI".to_owned(),
        (true, Some(found)) => found.value.known().unwrap_or_default().to_owned(),
        (false, Some(found)) => format!("a service in CI, {}", found.value.known().unwrap_or_default()),
    };
    let evidence = services.into_iter().chain(libraries.map(|it| it.evidence).unwrap_or_default());
    Signal::observed("tests-on-engine", what, evidence.take(MAX_EVIDENCE).collect(), implication)
}

/// Who owns the migrations.
fn owner(project: &Project) -> Signal {
    let implication = "names who signs for the data";
    let owners = Owners::of(project);
    let owned = project.folders.iter().find_map(|folder| {
        let path = format!("{}/", folder.path);
        Some((folder, owners.of_path(path.trim_end_matches('/'))?))
    });
    match owned {
        None => Signal::unknown("owner", implication),
        Some((folder, owners)) => {
            let evidence = Evidence {
                path: folder.path.clone(),
                line: 1,
                excerpt: "owned as CODEOWNERS says".to_owned(),
            };
            Signal::observed("owner", owners, vec![evidence], implication)
        }
    }
}

fn by_words(project: &Project) -> Vec<Signal> {
    of_facts(project, SIGNALS)
}

fn of_facts(project: &Project, all: &'static [Facts]) -> Vec<Signal> {
    let words: Vec<(&Facts, &str, &str)> = all
        .iter()
        .flat_map(|facts| facts.words.iter().map(move |(word, label)| (facts, *word, *label)))
        .collect();
    let matcher =
        AhoCorasick::builder().ascii_case_insensitive(true).build(words.iter().map(|(_, word, _)| word));
    let mut places: Vec<(&str, &str, Evidence)> = Vec::new();
    if let Ok(matcher) = matcher {
        for file in project
            .files
            .iter()
            .filter(|file| table::is_configuration(&file.path) && file.size(&project.root) <= MAX_SIZE)
        {
            places.extend(in_file(project, file, &matcher, &words));
        }
    }
    all.iter().map(|facts| signal(facts, &places)).collect()
}

fn in_file<'a>(
    project: &Project,
    file: &File,
    matcher: &AhoCorasick,
    words: &[(&'a Facts, &'a str, &'a str)],
) -> Vec<(&'a str, &'a str, Evidence)> {
    let text = project.read(&file.path).unwrap_or_default();
    let is_ci = table::is_ci(&file.path);
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !is_comment(line)) {
        for hit in whole_words(matcher, line) {
            let (facts, _, label) = words[hit];
            if facts.found_in == Where::Anywhere || is_ci {
                let evidence =
                    Evidence { path: file.path.clone(), line: index + 1, excerpt: secret::excerpt(line) };
                found.push((facts.id, label, evidence));
            }
        }
    }
    found
}

fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with('#') || line.starts_with("//")
}

fn signal(facts: &Facts, places: &[(&str, &str, Evidence)]) -> Signal {
    let ours: Vec<_> = places.iter().filter(|(id, ..)| *id == facts.id).collect();
    if ours.is_empty() {
        return Signal::unknown(facts.id, facts.if_unknown);
    }
    let mut labels: Vec<&str> = ours.iter().map(|(_, label, _)| *label).collect();
    labels.sort_unstable();
    labels.dedup();
    let mut evidence: Vec<Evidence> = ours.iter().map(|(.., evidence)| evidence.clone()).collect();
    evidence.dedup();
    evidence.truncate(MAX_EVIDENCE);
    Signal::observed(facts.id, labels.join(", "), evidence, facts.if_known)
}

/// The patterns that stand in a line on their own: `wal-g` is not in `wal-gate`.
fn whole_words(matcher: &AhoCorasick, line: &str) -> Vec<usize> {
    let is_part = |it: Option<char>| it.is_some_and(char::is_alphanumeric);
    let is_whole = |start: usize, end: usize| {
        let prefix = line[..end].ends_with('_');
        !is_part(line[..start].chars().next_back()) && (prefix || !is_part(line[end..].chars().next()))
    };
    let hits = matcher.find_overlapping_iter(line).filter(|hit| is_whole(hit.start(), hit.end()));
    hits.map(|hit| hit.pattern().as_usize()).collect()
}
