//! Which folders hold migrations, and of which framework: by the configuration, by what lies around, by names, by
//! markers in the files.

use std::collections::BTreeMap;
use std::path::Path;

use lockkeeper_core::framework::{self, Framework, Kind, Part};

use super::read;
use crate::config::Config;
use crate::files::{File, is_inside, name, parent};

/// A folder of migrations, recognised but not read yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found<'a> {
    pub path: &'a str,
    pub framework: &'static Framework,
    /// Another one that it looks like just as much: the configuration decides.
    pub rival: Option<&'static Framework>,
}

/// All folders of migrations.
pub(super) fn folders<'a>(root: &Path, config: &'a Config, files: &'a [File]) -> Vec<Found<'a>> {
    let ctx = Context { root, files };
    let mut found: BTreeMap<&str, &'static Framework> = BTreeMap::new();
    let mut rivals: BTreeMap<&str, &'static Framework> = BTreeMap::new();
    for (folder, inside) in by_folder(files) {
        let Some((path, framework)) = ctx.recognise(folder, &inside, &mut rivals) else { continue };
        found.entry(path).or_insert(framework);
    }
    state(config, &mut found, &mut rivals);
    for folder in &config.migrations {
        let path = folder.folder();
        let named = folder.framework.as_deref().and_then(Framework::by_id);
        let seen = found.get(path).copied();
        if named.is_some() {
            rivals.remove(path);
        }
        found.insert(path, named.or(seen).unwrap_or_else(plain));
    }
    let nested = |path: &str| {
        let around = found
            .iter()
            .find(|(outer, _)| path.strip_prefix(**outer).is_some_and(|rest| rest.starts_with('/')));
        around.is_some_and(|(_, framework)| framework.id == "flyway")
    };
    let found = found.iter().filter(|(path, _)| !nested(path));
    let found = found.map(|(&path, &framework)| Found { path, framework, rival: rivals.get(path).copied() });
    found.collect()
}

/// Gives the folders the frameworks that are stated for the paths they lie in. A path in which no folder was recognised is one
/// itself.
fn state<'a>(
    config: &'a Config,
    found: &mut BTreeMap<&'a str, &'static Framework>,
    rivals: &mut BTreeMap<&'a str, &'static Framework>,
) {
    for entry in config.paths.iter().filter(|it| it.framework.is_some()) {
        if !found.keys().any(|folder| is_inside(folder, entry.folder())) {
            found.insert(entry.folder(), plain());
        }
    }
    for (folder, framework) in found {
        if let Some(stated) = config.framework_at(folder).and_then(Framework::by_id) {
            *framework = stated;
            rivals.remove(folder);
        }
    }
}

/// The framework for files that nothing else is known of.
pub(super) fn plain() -> &'static Framework {
    Framework::by_id("plain").expect("the table has a row for plain files")
}

fn by_id(id: &str) -> Option<&'static Framework> {
    Framework::by_id(id)
}

/// The framework whose markers stand in the text.
pub(super) fn by_markers(text: &str) -> Option<&'static Framework> {
    MARKED.iter().filter_map(|id| by_id(id)).find(|it| framework::is_marked(it, text))
}

/// Frameworks whose files show what they are.
const MARKED: &[&str] =
    &["goose", "dbmate", "sql-migrate", "liquibase", "node-pg-migrate", "graphile-migrate"];

fn by_folder(files: &[File]) -> BTreeMap<&str, Vec<&File>> {
    let mut folders: BTreeMap<&str, Vec<&File>> = BTreeMap::new();
    for file in files.iter().filter(|file| file.path.ends_with(".sql")) {
        folders.entry(parent(&file.path)).or_default().push(file);
    }
    folders
}

struct Context<'a> {
    root: &'a Path,
    files: &'a [File],
}

impl Context<'_> {
    /// The migrations folder that a folder with SQL files is or belongs to, and its framework. Where it looks like another
    /// one just as much, that one goes to the rivals.
    fn recognise<'f>(
        &self,
        folder: &'f str,
        inside: &[&File],
        rivals: &mut BTreeMap<&'f str, &'static Framework>,
    ) -> Option<(&'f str, &'static Framework)> {
        let has = |file: &str| inside.iter().any(|it| it.name() == file);
        if has("migration.sql") && self.is_folder_of("prisma", folder) {
            return Some((parent(folder), by_id("prisma")?));
        }
        if has("up.sql") && self.is_folder_of("diesel", folder) {
            return Some((parent(folder), by_id("diesel")?));
        }
        if is_version(name(folder)) && looks_like_migrations(parent(folder)) {
            return Some((parent(folder), plain()));
        }
        if matches!(name(folder), "deploy" | "revert") && self.exists(parent(folder), "sqitch.plan") {
            return Some((parent(folder), by_id("sqitch")?));
        }
        let signs = self.signs(folder, inside);
        rivals.extend(signs.get(1).map(|rival| (folder, *rival)));
        let framework = signs.first().copied().or_else(|| self.by_names(folder, inside))?;
        match framework.id {
            "flyway" => Some((flyway_location(folder), framework)),
            _ => Some((folder, framework)),
        }
    }

    fn is_folder_of(&self, id: &str, folder: &str) -> bool {
        let starts_with_digit = name(folder).starts_with(|it: char| it.is_ascii_digit());
        let lock = id == "prisma" && self.exists(parent(folder), "migration_lock.toml");
        starts_with_digit && folder.contains('/')
            || lock
            || starts_with_digit && looks_like_migrations(folder)
    }

    /// All that a folder says of itself: what lies beside its files, what stands in them, and names that only one has.
    fn signs(&self, folder: &str, inside: &[&File]) -> Vec<&'static Framework> {
        let beside = [("drizzle", "meta/_journal.json"), ("atlas", "atlas.sum")];
        let beside = beside.into_iter().filter(|(_, file)| self.exists(folder, file)).map(|(id, _)| id);
        let mut found: Vec<&'static Framework> = beside.filter_map(by_id).collect();
        // A marker in one of a few files is enough; prose about markers is not at the start of a comment.
        for file in inside.iter().take(5) {
            found.extend(read::text(self.root, &file.path).ok().and_then(|text| by_markers(&text)));
        }
        // People write its marker over files of other runners too: then the names say more.
        let named_otherwise = are_named("golang-migrate", inside) || are_named("flyway", inside);
        found.retain(|it| it.id != "node-pg-migrate" || !named_otherwise);
        if found.is_empty() && (folder == "supabase/migrations" || folder.ends_with("/supabase/migrations")) {
            found.extend(by_id("supabase"));
        }
        if !found.is_empty() {
            let names =
                ["golang-migrate", "flyway", "postgrator"].into_iter().filter(|id| are_named(id, inside));
            found.extend(names.filter_map(by_id));
        }
        let mut known = std::collections::BTreeSet::new();
        found.retain(|it| known.insert(it.id));
        found
    }

    fn by_names(&self, folder: &str, inside: &[&File]) -> Option<&'static Framework> {
        let most = |id: &str| are_named(id, inside);
        if most("postgrator") {
            return by_id("postgrator");
        }
        if most("refinery") && self.names_crate(folder, "refinery") {
            return by_id("refinery");
        }
        if most("flyway") {
            return by_id("flyway");
        }
        if most("golang-migrate") {
            return if self.names_crate(folder, "sqlx") { by_id("sqlx") } else { by_id("golang-migrate") };
        }
        if most("sqlx") && self.names_crate(folder, "sqlx") {
            return by_id("sqlx");
        }
        let numbered = named("plain", inside);
        let known = looks_like_migrations(folder) && numbered > 0;
        (known || is_sequence(inside) && most("plain")).then(plain)
    }

    /// Whether the nearest Cargo.toml upwards names a crate.
    fn names_crate(&self, folder: &str, id: &str) -> bool {
        let mut at = folder;
        while !at.is_empty() {
            at = parent(at);
            if self.exists(at, "Cargo.toml") {
                let manifest = read::text(self.root, &join(at, "Cargo.toml")).unwrap_or_default();
                return manifest
                    .lines()
                    .any(|line| line.trim_start().trim_start_matches('"').starts_with(id));
            }
        }
        false
    }

    fn exists(&self, folder: &str, file: &str) -> bool {
        there(self.files, folder, file).is_some()
    }
}

/// The file of that name in a folder. The files come in the order of their paths: a repository may have a hundred
/// thousand, and each of its folders of migrations asks.
pub(super) fn there<'a>(files: &'a [File], folder: &str, file: &str) -> Option<&'a File> {
    let path = join(folder, file);
    files.binary_search_by(|it| it.path.as_str().cmp(&path)).ok().map(|at| &files[at])
}

fn join(folder: &str, file: &str) -> String {
    if folder.is_empty() { file.to_owned() } else { format!("{folder}/{file}") }
}

/// How many of the files are named as a framework names them. The names of Flyway's callbacks are others' names too.
fn named(id: &str, inside: &[&File]) -> usize {
    let is_named = |file: &&&File| {
        let name = by_id(id).and_then(|it| framework::parse(it, file.name()));
        name.is_some_and(|it| it.kind != Kind::Repeatable || file.name().starts_with("R__"))
    };
    inside.iter().filter(is_named).count()
}

/// Whether most of the files are.
fn are_named(id: &str, inside: &[&File]) -> bool {
    named(id, inside) * 2 > inside.len()
}

/// `v1.4`, `2.0.1`.
fn is_version(name: &str) -> bool {
    let digits = name.trim_start_matches(['v', 'V']);
    digits.contains('.')
        && digits.split('.').all(|it| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit()))
}

pub(super) fn looks_like_migrations(folder: &str) -> bool {
    let names = ["migrat", "patches", "upgrades", "versioned", "changesets"];
    folder.split('/').any(|part| names.iter().any(|it| part.to_ascii_lowercase().contains(it)))
}

/// At least three files that are numbered one after the other, as examples and fixtures rarely are.
fn is_sequence(inside: &[&File]) -> bool {
    let number = |file: &&File| {
        let named = framework::parse(plain(), file.name()).filter(|it| it.part != Part::Down)?;
        named.version.text.parse::<u64>().ok()
    };
    let mut numbers: Vec<u64> = inside.iter().filter_map(number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.len() >= 3
        && numbers.windows(2).filter(|pair| pair[1] - pair[0] <= 10).count() + 1 >= numbers.len() / 2
}

/// Flyway looks into all folders below a location; `db/migration/2024` belongs to `db/migration`, but folders named
/// like engines are locations of their own.
fn flyway_location(folder: &str) -> &str {
    let outer = folder
        .match_indices('/')
        .map(|(at, _)| &folder[..at])
        .find(|it| matches!(name(it), "migration" | "migrations"));
    match outer {
        Some(outer) if !super::engine::names_an_engine(&folder[outer.len()..]) => outer,
        _ => folder,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_years_belong_to_the_location_above() {
        assert_eq!(flyway_location("src/db/migration/2024"), "src/db/migration");
        assert_eq!(flyway_location("src/db/migration/mysql"), "src/db/migration/mysql");
        assert_eq!(flyway_location("uaa/db/mysql"), "uaa/db/mysql");
    }

    #[test]
    fn versions_are_told_from_words() {
        assert!(is_version("v1.14") && is_version("2.0.1"));
        assert!(!is_version("v12") && !is_version("1.x") && !is_version("."));
    }
}
