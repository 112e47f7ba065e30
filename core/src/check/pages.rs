//! The pages of the rules, run: carets, fixes and quiet examples; and what makes the family of rules well-formed.
//!
//! A page is rendered anew from what the rules find in its blocks, and compared with itself. So the whole answer is
//! compared, and `UPDATE_EXPECT=1` writes it; then read the diff as a reviewer would.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use expect_test::{Expect, expect};

use crate::catalog::Catalog;
use crate::check::{
    Checked, Member, Part, Up, check, check_deploy, check_down, check_runner, missing_down, replay,
};
use crate::dialect::{Dialect, Target, Version};
use crate::framework::{self, Framework, Settings, Transaction};
use crate::hazards::page::{self, Block};
use crate::hazards::{Hazard, RULES, Rule};
use crate::text::{self, Span};

pub(super) const NEXT: &str = "-- next migration\n";
pub(super) const DOWN: &str = "-- down\n";

#[test]
fn pages_say_what_the_rules_find() {
    for rule in RULES {
        let path = page_of(rule);
        let expected = expect_test::expect_file![path];
        expected.assert_eq(&rendered(rule));
    }
}

#[test]
fn quiet_blocks_are_quiet() {
    for (rule, block) in blocks() {
        if block.section == "Quiet" {
            assert_eq!(hazards(rule, &block, &bare(block.text)), [], "{}:\n{}", rule.id, block.text);
        }
    }
}

#[test]
fn every_example_shows_the_hazard() {
    for (rule, block) in blocks().filter(|(_, it)| it.section == "Example" && !it.has("fixed")) {
        let found = hazards(rule, &block, &bare(block.text));
        assert!(!found.is_empty(), "{}: nothing is found in\n{}", rule.id, block.text);
    }
}

#[test]
fn fixes_cure_their_hazard_and_can_be_read() {
    for (rule, block) in blocks().filter(|(_, block)| block.has("fixed")) {
        let sql = bare(block.text);
        assert_eq!(hazards(rule, &block, &sql), [], "{}: the hazard is still there in\n{sql}", rule.id);
        for version in versions(&block) {
            let unread = run(&block, &sql, version).not_analysed;
            assert_eq!(unread, [], "{}: nobody can read\n{sql}", rule.id);
        }
    }
}

#[test]
fn every_fix_is_shown() {
    for rule in RULES {
        let shown = page::blocks(rule.page).iter().any(|block| block.has("fixed"));
        let fixes = page::blocks(rule.page).iter().any(|block| {
            let found = hazards(rule, block, &bare(block.text));
            found.iter().any(|hazard| !hazard.fixes.is_empty())
        });
        assert_eq!(shown, fixes, "{}: a page shows the fix exactly where the rule has one", rule.id);
    }
}

#[test]
fn ids_are_unique_and_name_their_files() {
    let ids: BTreeSet<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(ids.len(), RULES.len());
    for id in ids {
        let kebab = id.bytes().all(|it| it.is_ascii_lowercase() || it == b'-');
        assert!(kebab && !id.starts_with('-') && !id.ends_with('-'), "{id}");
    }
    let listed: BTreeSet<PathBuf> = RULES.iter().map(|rule| page_of(rule)).collect();
    let pages: BTreeSet<PathBuf> = files("md").collect();
    assert_eq!(listed, pages, "every page is of a rule in RULES, and every rule has its page");
    let others = ["mod.rs", "context.rs", "page.rs", "whole.rs"];
    let code = files("rs").filter(|path| !others.iter().any(|other| path.ends_with(other)));
    assert_eq!(code.collect::<BTreeSet<_>>(), pages.iter().map(|it| it.with_extension("rs")).collect());
}

#[test]
fn pages_have_their_parts_in_order() {
    for rule in RULES {
        let page = rule.page;
        let title = page::title(page).to_lowercase().replace(' ', "-");
        assert_eq!(title, rule.id, "the title is the id in words");
        let summary = page::summary(page);
        assert!(summary.ends_with('.') && !summary.starts_with('#'), "{}: {summary}", rule.id);
        assert_eq!(page::headings(page), ["Why", "Instead", "Example", "Quiet"], "{}", rule.id);
        for section in ["Example", "Quiet"] {
            let there = page::blocks(page).iter().any(|block| block.section == section);
            assert!(there, "{}: no block of SQL under {section}", rule.id);
        }
    }
}

#[test]
fn pages_cite_their_sources() {
    let sources = ["manual", "measured", "release notes", "source code"];
    for rule in RULES {
        let why = page::section(rule.page, "Why").unwrap_or("");
        assert!(sources.iter().any(|source| why.contains(source)), "{}: no source under Why", rule.id);
    }
}

#[test]
fn messages_begin_lower_case_and_have_no_final_stop() {
    for (rule, block) in blocks() {
        for hazard in hazards(rule, &block, &bare(block.text)) {
            let message = &hazard.message;
            let upper_word = message.split(' ').next().is_some_and(|word| word.to_uppercase() == word);
            let lower = message.starts_with(|first: char| !first.is_uppercase()) || upper_word;
            assert!(lower && !message.ends_with('.'), "{}: {message}", rule.id);
        }
    }
}

#[test]
fn carets_stand_below_what_they_mean() {
    let found = |message: &str, start, end| Hazard::new(RULES[0], Span::new(start, end), message);
    let sql = "CREATE INDEX i\nON orders (day);\n";
    let drawn = |hazards: &[Hazard], expected: Expect| expected.assert_eq(&annotated(sql, hazards));
    drawn(
        &[found("a name", 13, 14), found("the whole", 0, 30)],
        expect![[r#"
            CREATE INDEX i
            --           ^ a name
            --^^^^^^^^^^^^ to line 2: the whole
            ON orders (day);
        "#]],
    );
}

pub(super) fn blocks() -> impl Iterator<Item = (&'static Rule, Block<'static>)> {
    RULES.iter().flat_map(|rule| page::blocks(rule.page).into_iter().map(move |block| (*rule, block)))
}

/// The page with every block as the rule sees it.
#[track_caller]
fn rendered(rule: &'static Rule) -> String {
    let mut result = String::new();
    let mut rest = rule.page;
    let mut before = String::new();
    for block in page::blocks(rule.page) {
        let at = rest.find(block.text).expect("a block is a part of its page");
        result.push_str(&rest[..at]);
        rest = &rest[at + block.text.len()..];
        if block.has("fixed") {
            result.push_str(&before);
            continue;
        }
        let sql = bare(block.text);
        let found = hazards(rule, &block, &sql);
        result.push_str(&annotated(&sql, &found));
        before = fixed(&sql, &found);
    }
    result + rest
}

/// The text after the first fix of each hazard.
#[track_caller]
fn fixed(sql: &str, hazards: &[Hazard]) -> String {
    let first = hazards.iter().filter_map(|hazard| hazard.fixes.first());
    let edits: Vec<text::Edit> = first.flat_map(|fix| fix.edits.clone()).collect();
    text::apply(sql, &edits).expect("fixes of one example do not overlap")
}

/// The text without its lines of carets.
pub(super) fn bare(block: &str) -> String {
    let is_caret = |line: &str| {
        line.strip_prefix("--").is_some_and(|rest| rest.trim_start_matches(' ').starts_with('^'))
    };
    block.split_inclusive('\n').filter(|line| !is_caret(line)).collect()
}

/// The text with a line of carets below the line that each hazard starts in. A hazard in the first two columns has
/// its carets cut short by the dashes.
fn annotated(sql: &str, hazards: &[Hazard]) -> String {
    let mut result = String::new();
    let mut offset = 0;
    for line in sql.split_inclusive('\n') {
        result.push_str(line);
        let end = offset + line.trim_end().len();
        for hazard in hazards.iter().filter(|it| (offset..offset + line.len()).contains(&it.span.start)) {
            let from = (hazard.span.start - offset).max(2);
            let to = hazard.span.end.min(end) - offset;
            let (space, carets) = (" ".repeat(from - 2), "^".repeat(to.saturating_sub(from).max(1)));
            let further = sql[offset..hazard.span.end].trim_end().matches('\n').count();
            let last = sql[..hazard.span.end].matches('\n').count() + 1;
            let place = if further > 0 { format!("to line {last}: ") } else { String::new() };
            writeln!(result, "--{space}{carets} {place}{}", hazard.message).expect("a string takes all");
        }
        offset += line.len();
    }
    result
}

/// The hazards of the rule in the block; all versions that it is about agree.
#[track_caller]
fn hazards(rule: &Rule, block: &Block<'_>, sql: &str) -> Vec<Hazard> {
    let found = |version: u16| {
        let mut found = run(block, sql, version).hazards;
        found.retain(|hazard| hazard.rule == rule.id);
        found
    };
    let mut versions = versions(block);
    let first = versions.next().expect("a block is about a version");
    let expected = found(first);
    for version in versions {
        let (one, other) = (annotated(sql, &expected), annotated(sql, &found(version)));
        assert!(one == other, "{}: {first} and {version} differ:\n{one}\n{other}", rule.id);
    }
    expected
}

pub(super) fn versions(block: &Block<'_>) -> impl Iterator<Item = u16> + use<> {
    let number = |key| block.value(key).map(|it| it.parse::<u16>().expect("a version is a number"));
    let only = number("version");
    let (since, until) = (number("since"), number("until"));
    let known = Dialect::Postgres.known_versions().expect("its facts are known");
    let first = only.or(since).unwrap_or(*known.start());
    first..=only.or(until).unwrap_or(*known.end())
}

/// Checks the last migration of the block on the schema that those before it leave, with its way back; or, where the
/// block is about a deploy, all but the first together.
pub(super) fn run(block: &Block<'_>, sql: &str, version: u16) -> Checked {
    let target = Target::postgres(Version::major(version));
    let transaction = match block.value("transaction") {
        Some("wrapped") => Transaction::Wrapped,
        Some("implicit") => Transaction::Implicit,
        None | Some("autocommit") => Transaction::Autocommit,
        Some(other) => panic!("no such transaction: {other}"),
    };
    let runner = block.value("runner").and_then(Framework::by_id);
    if let Some(framework) = runner.filter(|_| !block.has("deploy")) {
        return run_by(framework, sql, &target);
    }
    let part = |span| Part { text: sql, span, transaction };
    let mut migrations = spans(sql);
    let history = if block.has("deploy") { 1 } else { migrations.len() - 1 };
    let mut catalog = match history {
        0 => Catalog::unknown(Dialect::Postgres),
        _ => Catalog::empty(Dialect::Postgres),
    };
    for span in migrations.drain(..history) {
        replay(part(span), &target, &mut catalog);
    }
    if block.has("deploy") {
        let behind = block.has("late").then_some("9.sql");
        let parts: Vec<Part<'_>> = migrations.into_iter().map(part).collect();
        return deploy(sql, &parts, (runner, behind), &target, &catalog);
    }
    let last = migrations[0];
    let Some(at) = last.of(sql).find(DOWN).map(|at| last.start + at) else {
        let mut checked = check(part(last), &target, &catalog);
        if block.value("down") == Some("missing") {
            let found = missing_down(&target, &Up { before: &catalog, parts: vec![&checked] });
            checked.hazards.extend(found);
        }
        return checked;
    };
    let mut checked = check(part(Span::new(last.start, at)), &target, &catalog);
    if sql[at + DOWN.len()..last.end].trim().is_empty() {
        let found = missing_down(&target, &Up { before: &catalog, parts: vec![&checked] });
        checked.hazards.extend(found);
        return checked;
    }
    let down = [part(Span::new(at + DOWN.len(), last.end))];
    let down = check_down(&down, &target, &Up { before: &catalog, parts: vec![&checked] }).remove(0);
    checked.hazards.extend(down.hazards);
    checked.not_analysed.extend(down.not_analysed);
    checked
}

/// Checks a file of a framework, as its runner takes it.
fn run_by(framework: &'static Framework, sql: &str, target: &Target) -> Checked {
    let before = Catalog::unknown(Dialect::Postgres);
    let mut all: Option<Checked> = None;
    for section in framework::sections(framework, "1_x.sql", sql, None) {
        let part = Part { text: sql, span: section.span, transaction: section.transaction };
        let mut checked = check(part, target, all.as_ref().map_or(&before, |it| &it.after));
        check_runner(framework, Settings::default(), &section, part, target, &mut checked);
        match &mut all {
            Some(all) => all.hazards.extend(checked.hazards),
            None => all = Some(checked),
        }
    }
    all.expect("the file has a section")
}

/// Where the migrations of a block stand.
fn spans(sql: &str) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut start = 0;
    for migration in sql.split(NEXT) {
        spans.push(Span::new(start, start + migration.len()));
        start += migration.len() + NEXT.len();
    }
    spans
}

/// Checks the migrations of a deploy, each after the others, and then together.
fn deploy(
    sql: &str,
    parts: &[Part<'_>],
    (runner, behind): (Option<&'static Framework>, Option<&str>),
    target: &Target,
    before: &Catalog,
) -> Checked {
    let mut checked: Vec<Checked> = Vec::new();
    for part in parts {
        checked.push(check(*part, target, checked.last().map_or(before, |it| &it.after)));
    }
    let names: Vec<String> = (1..=parts.len()).map(|number| format!("{number}.sql")).collect();
    let members: Vec<Member<'_>> = names
        .iter()
        .zip(&checked)
        .map(|(name, part)| Member { name, text: sql, behind, parts: vec![part] })
        .collect();
    let found = check_deploy(&members, runner, target, before);
    let mut all = checked.swap_remove(0);
    all.hazards.extend(checked.into_iter().flat_map(|it| it.hazards));
    all.hazards.extend(found.into_iter().map(|it| it.hazard));
    all.hazards.sort_by_key(|hazard| (hazard.span, hazard.rule));
    all
}

/// The page's file: the group is the folder that holds it.
fn page_of(rule: &Rule) -> PathBuf {
    let file = format!("{}.md", rule.id.replace('-', "_"));
    let found = files("md").find(|path| path.ends_with(&file));
    found.unwrap_or_else(|| panic!("{} has no page {file}", rule.id))
}

fn files(extension: &'static str) -> impl Iterator<Item = PathBuf> {
    let hazards = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/hazards");
    let entries = |folder: &Path| -> Vec<PathBuf> {
        folder.read_dir().expect("a folder").map(|it| it.expect("an entry").path()).collect()
    };
    let top = entries(&hazards);
    let inner: Vec<PathBuf> = top.iter().filter(|path| path.is_dir()).flat_map(|it| entries(it)).collect();
    top.into_iter().chain(inner).filter(move |path| path.extension().is_some_and(|it| it == extension))
}
