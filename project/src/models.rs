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
    let mut touched = git::touched_since(&project.root, revision)?;
    touched.retain(|it| it.ends_with(".prisma"));
    if touched.is_empty() {
        return Ok(Vec::new());
    }
    let new = git::new_since(&project.root, revision)?;
    let mut found = Vec::new();
    for folder in project.folders.iter().filter(|it| it.framework.id == "prisma") {
        let of_folder: Vec<&String> = touched.iter().filter(|it| is_beside(&folder.path, it)).collect();
        let has_migration =
            new.iter().any(|it| it.ends_with(".sql") && Path::new(it).starts_with(&folder.path));
        // Together: a model that went from one file to another is the same.
        let (mut before, mut now) = (Vec::new(), Vec::new());
        for path in &of_folder {
            before.extend(models(&git::at(&project.root, revision, path)?.unwrap_or_default()));
            now.extend(models(&project.read(path).unwrap_or_default()));
        }
        before.sort();
        now.sort();
        let Some(path) = of_folder.first().filter(|_| !has_migration && before != now) else { continue };
        let message =
            "its models changed, and no migration is new: what will be deployed is not what was checked";
        let advice = "make the migration and look at it: `npx prisma migrate dev --create-only`";
        found.push(Problem::new(path, message, advice));
    }
    Ok(found)
}

/// Whether a folder of migrations belongs to a schema file: they lie in the same folder, or the schema in one beside it.
fn is_beside(migrations: &str, schema: &str) -> bool {
    let parent = Path::new(migrations).parent().unwrap_or(Path::new(""));
    Path::new(schema).starts_with(parent)
}

/// The tables and types of a schema file, without comments and blanks.
fn models(text: &str) -> Vec<String> {
    let (mut found, mut open): (Vec<String>, bool) = (Vec::new(), false);
    for line in text.lines().map(without_comment) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if !open && matches!(words.first(), Some(&("model" | "enum" | "type" | "view"))) {
            found.push(String::new());
            open = true;
        }
        if let Some(model) = found.last_mut().filter(|_| open && !words.is_empty()) {
            model.push_str(&words.join(" "));
            model.push('\n');
        }
        open &= words.first() != Some(&"}");
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
