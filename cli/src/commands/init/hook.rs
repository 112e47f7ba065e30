//! The hook that checks what is committed, for pre-commit or lefthook.

use lockkeeper_project::Project;

use super::proposal::Proposal;

const PRE_COMMIT: &str = ".pre-commit-config.yaml";
const LEFTHOOK: [&str; 4] = ["lefthook.yml", "lefthook.yaml", ".lefthook.yml", ".lefthook.yaml"];

/// The entries for the hook runner that the project has; for pre-commit where it has none and one is `asked` for.
pub fn proposals(project: &Project, asked: bool) -> Vec<Proposal> {
    let paths: Vec<&str> = project.folders.iter().map(|it| it.path.as_str()).collect();
    let mut found = Vec::new();
    match text(project, PRE_COMMIT) {
        Some(before) => found.push(pre_commit(before, &paths)),
        None if asked && !LEFTHOOK.iter().any(|it| project.root.join(it).exists()) => {
            let after = format!("repos:\n{}", repository("  ", &paths));
            found.push(Proposal::new_file(
                project,
                PRE_COMMIT,
                after,
                "checks migrations that are committed",
            ));
        }
        None => {}
    }
    for path in LEFTHOOK {
        found.extend(text(project, path).map(|before| lefthook(path, before, &paths)));
    }
    found
}

pub fn text(project: &Project, path: &str) -> Option<String> {
    std::fs::read_to_string(project.root.join(path)).ok()
}

fn pre_commit(before: String, paths: &[&str]) -> Proposal {
    if before.contains("id: lockkeeper") {
        return Proposal::left(PRE_COMMIT, "has the hook already");
    }
    let is_key = |line: &&str| line.starts_with(|it: char| it.is_ascii_alphabetic());
    let entry = before.lines().rfind(|line| line.trim_start().starts_with("- repo:"));
    let indent = entry.map(|line| &line[..line.len() - line.trim_start().len()]);
    // Only where the list of repositories comes last is its end the end of the file.
    let is_last = before.lines().rfind(is_key).is_some_and(|line| line.trim_end() == "repos:");
    match indent.filter(|_| is_last) {
        Some(indent) => {
            let after = format!("{}{}", with_line_break(&before), repository(indent, paths));
            Proposal::changed(PRE_COMMIT, before, after, "checks migrations that are committed")
        }
        None => Proposal::left(
            PRE_COMMIT,
            format!("has a form that is not extended here; add under repos:\n{}", repository("  ", paths)),
        ),
    }
}

/// A local hook: it runs the installed program, and nothing is downloaded.
fn repository(indent: &str, paths: &[&str]) -> String {
    let files: Vec<String> = paths.iter().map(|it| format!("{}/", regex_escaped(it))).collect();
    let lines = [
        "- repo: local".to_owned(),
        "  hooks:".to_owned(),
        "    - id: lockkeeper".to_owned(),
        "      name: lockkeeper".to_owned(),
        "      language: system".to_owned(),
        "      entry: lockkeeper check".to_owned(),
        format!("      files: '^({}).*\\.sql$'", files.join("|")),
    ];
    lines.iter().map(|line| format!("{indent}{line}\n")).collect()
}

fn regex_escaped(path: &str) -> String {
    path.replace('.', "\\.").replace('\'', "''")
}

fn lefthook(path: &str, before: String, paths: &[&str]) -> Proposal {
    let globs: Vec<String> = paths.iter().map(|it| format!("{it}/**/*.sql\", \"{it}/*.sql")).collect();
    let command = format!(
        "  commands:\n    lockkeeper:\n      glob: [\"{}\"]\n      run: lockkeeper check {{staged_files}}\n",
        globs.join("\", \"")
    );
    if before.contains("lockkeeper check") {
        return Proposal::left(path, "has the hook already");
    }
    if before.lines().any(|line| line.starts_with("pre-commit:")) {
        return Proposal::left(
            path,
            format!("has a pre-commit section that is not changed here; add to it:\n{command}"),
        );
    }
    let after = format!("{}pre-commit:\n{command}", with_line_break(&before));
    Proposal::changed(path, before, after, "checks migrations that are committed")
}

pub fn with_line_break(text: &str) -> String {
    if text.is_empty() || text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_added_at_the_end_of_the_repositories() {
        let before = "repos:\n- repo: https://example.org/a\n  rev: v1\n  hooks:\n  - id: a";
        let proposal = pre_commit(before.to_owned(), &["db/migrations"]);
        let after = proposal.after.expect("is extended");
        assert!(after.starts_with(&format!("{before}\n- repo: local\n  hooks:\n")), "{after}");
        assert!(after.ends_with("files: '^(db/migrations/).*\\.sql$'\n"), "{after}");
        assert_eq!(pre_commit(after, &["db/migrations"]).after, None);
    }

    #[test]
    fn what_is_of_another_form_is_left_to_its_people() {
        let text = "repos:\n  - repo: local\nexclude: vendor\n";
        let proposal = pre_commit(text.to_owned(), &["db"]);
        assert_eq!(proposal.after, None);
        assert!(proposal.about.contains("- id: lockkeeper"), "{}", proposal.about);
        assert_eq!(
            lefthook("lefthook.yml", "pre-commit:\n  parallel: true\n".to_owned(), &["db"]).after,
            None
        );
        let after =
            lefthook("lefthook.yml", "pre-push: {}\n".to_owned(), &["db"]).after.expect("is extended");
        assert!(after.starts_with("pre-push: {}\npre-commit:\n  commands:\n    lockkeeper:\n"), "{after}");
    }
}
