//! Models of an application that changed and have no migration for it yet: what is checked is then not what will be deployed.

use std::path::Path;

use crate::discover::Project;
use crate::folder::Problem;
use crate::git::{self, GitError};

/// Models that changed since a revision although no migration is new beside them. Prisma's are read: of others the models are code.
///
/// # Errors
/// [`GitError`] with what to do.
pub fn without_migration(project: &Project, revision: &str) -> Result<Vec<Problem>, GitError> {
    let changed: Vec<String> =
        git::since(&project.root, revision)?.into_iter().filter(|it| it.ends_with(".prisma")).collect();
    if changed.is_empty() {
        return Ok(Vec::new());
    }
    let new = git::new_since(&project.root, revision)?;
    let mut found = Vec::new();
    for path in changed {
        let folders = project.folders.iter().filter(|it| it.framework.id == "prisma");
        let Some(folder) = folders.filter(|it| is_beside(&it.path, &path)).max_by_key(|it| it.path.len())
        else {
            continue;
        };
        let has_migration =
            new.iter().any(|it| it.ends_with(".sql") && it.starts_with(&format!("{}/", folder.path)));
        let now = project.read(&path).unwrap_or_default();
        let before = git::at(&project.root, revision, &path)?.unwrap_or_default();
        if has_migration || models(&before) == models(&now) {
            continue;
        }
        let message =
            "its models changed, and no migration is new: what will be deployed is not what was checked";
        let advice = "make the migration and look at it: `npx prisma migrate dev --create-only`";
        found.push(Problem::new(&path, message, advice));
    }
    Ok(found)
}

/// Whether a folder of migrations belongs to a schema file: they lie in the same folder, or the schema in one beside it.
fn is_beside(migrations: &str, schema: &str) -> bool {
    let parent = Path::new(migrations).parent().unwrap_or(Path::new(""));
    Path::new(schema).starts_with(parent)
}

/// What a schema file says of tables and types, without comments and blanks.
fn models(text: &str) -> Vec<String> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in text.lines() {
        let line = without_comment(line);
        let words: Vec<&str> = line.split_whitespace().collect();
        inside |= matches!(words.first(), Some(&("model" | "enum" | "type" | "view"))) && line.contains('{');
        if inside && !words.is_empty() {
            found.push(words.join(" "));
        }
        inside &= words.first() != Some(&"}");
    }
    found
}

/// A line up to `//`, unless that stands in a text.
fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    let mut last = ' ';
    for (at, letter) in line.char_indices() {
        match letter {
            '"' if last != '\\' => quoted = !quoted,
            '/' if last == '/' && !quoted => return &line[..at - 1],
            _ => {}
        }
        last = letter;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_blanks_are_no_change() {
        let one = "generator x {\n  provider = \"y\"\n}\n\nmodel User {\n  id Int @id // the key\n  url String @default(\"http://a\")\n}\n";
        let same = "/// Somebody.\nmodel User   {\n\n id   Int @id\n url String @default(\"http://a\")\n}\ndatasource db {\n}\n";
        assert_eq!(models(one), models(same));
        assert_ne!(models(one), models(&one.replace("Int", "BigInt")));
        assert_ne!(models(one), models(&one.replace("//a", "//b")));
    }
}
