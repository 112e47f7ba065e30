//! Generated documents: compared here, written by `UPDATE_EXPECT=1` (`cargo xtask docs`).

use crate::binaries::root;
use expect_test::expect_file;
use lockkeeper_core::hazards::{RULES, Rule, page};
use std::fmt::Write;

/// The groups in the order of the rules, with a line each.
const GROUPS: &[(&str, &str)] = &[
    ("locking", "Locks that are held while rows are read, written or indexed."),
    ("compatibility", "What the running release, or the one after a rollback, no longer finds."),
    ("data", "Rows and values that are lost, or changed too many at a time."),
    ("schema", "Names, keys, indexes and checks that are not what they seem."),
    ("reversal", "What the way back of a migration cannot give back, or leaves behind."),
    ("deploy", "What the migrations of one deploy do together."),
    ("runner", "What the runner makes of a file before the server sees it."),
    ("transaction", "Transactions, timeouts, and statements that cannot succeed."),
];

#[test]
fn the_index_of_hazards_is_fresh() {
    expect_file![root().join("docs/hazards/index.md")].assert_eq(&index());
}

fn index() -> String {
    let mut text = String::from(
        "# Hazards\n\nGenerated from the rules by `cargo xtask docs`. Each page says why, what to do instead, and is run as a \
         test.\n[Coverage](coverage.md) lists the hazards that we know of and which rule finds them.\n",
    );
    for (group, about) in GROUPS {
        let title = group[..1].to_uppercase() + &group[1..];
        write!(text, "\n## {title}\n\n{about}\n\n| rule | severity | |\n| --- | --- | --- |\n")
            .expect("a string");
        for rule in RULES.iter().filter(|rule| group_of(rule) == *group) {
            let (id, severity, summary) = (rule.id, rule.severity.id(), page::summary(rule.page));
            let path = format!("../../core/src/hazards/{group}/{}.md", id.replace('-', "_"));
            writeln!(text, "| [{id}]({path}) | {severity} | {summary} |").expect("a string");
        }
    }
    text
}

/// The folder that holds the rule's page.
fn group_of(rule: &Rule) -> &'static str {
    let file = format!("{}.md", rule.id.replace('-', "_"));
    let holds = |group: &str| root().join("core/src/hazards").join(group).join(&file).is_file();
    let found = GROUPS.iter().find(|(group, _)| holds(group));
    found.unwrap_or_else(|| panic!("{} is in no group", rule.id)).0
}

#[test]
fn coverage_names_rules_that_exist() {
    let text = std::fs::read_to_string(root().join("docs/hazards/coverage.md")).expect("the page is there");
    for row in text.lines().filter(|line| line.starts_with("| ") && line.contains('`')) {
        for name in row.split('`').skip(1).step_by(2) {
            assert!(lockkeeper_core::hazards::by_id(name).is_some(), "no rule {name}: {row}");
        }
    }
    for rule in RULES {
        assert!(text.contains(&format!("`{}`", rule.id)), "{} is in no row of coverage.md", rule.id);
    }
}

/// A page that the book's contents leave out is found by nobody who reads in order.
#[test]
fn the_book_has_every_page() {
    let docs = root().join("docs");
    let summary = std::fs::read_to_string(docs.join("SUMMARY.md")).expect("the contents are there");
    for folder in ["", "hazards"] {
        for entry in std::fs::read_dir(docs.join(folder)).expect("is a folder") {
            let name = entry.expect("can be read").file_name().into_string().expect("our names are UTF-8");
            if !name.ends_with(".md") || name == "SUMMARY.md" {
                continue;
            }
            let page = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            assert!(summary.contains(&format!("]({page})")), "docs/SUMMARY.md does not name {page}");
        }
    }
}
