//! Real histories: checked, replayed and rewritten to their end. Users do not have the corpus; its absence is said.

use std::collections::BTreeSet;
use std::path::PathBuf;

use lockkeeper_core::dialect::Dialect;
use lockkeeper_core::framework::Timestamp;
use lockkeeper_core::mechanics::Answers;
use lockkeeper_core::operation::QueryText;
use lockkeeper_core::plan::Way;
use lockkeeper_project::analysis::{self, CheckedFile, History};
use lockkeeper_project::{Project, discover, rewrite};

use crate::binaries::root;

/// The projects of the corpus, where it is there: `LOCKKEEPER_CORPUS`, or beside the checkout.
pub(crate) fn projects() -> Vec<(String, Project)> {
    let folder =
        std::env::var_os("LOCKKEEPER_CORPUS").map_or_else(|| root().join("../shared/corpus"), PathBuf::from);
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("skipped: there is no corpus at {}", folder.display());
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> =
        entries.filter_map(Result::ok).map(|entry| entry.path()).filter(|it| it.is_dir()).collect();
    paths.sort();
    let open = |path: PathBuf| {
        let name = path.file_name()?.to_str()?.to_owned();
        Some((name, discover(&path).ok()?))
    };
    paths.into_iter().filter_map(open).filter(|(_, project)| !project.folders.is_empty()).collect()
}

pub(crate) fn checked(project: &Project) -> Vec<CheckedFile> {
    let policies = analysis::policies(project, None);
    let folders = project.folders.iter().filter(|folder| analysis::is_analysed(folder));
    folders.flat_map(|folder| analysis::check_folder(project, folder, &policies, |_| true)).collect()
}

/// Every statement is analysed, or listed as not analysed.
#[test]
fn every_statement_is_read_or_said_not_to_be() {
    let (mut all, mut all_unread) = (0, 0);
    println!("| project | files | statements | analysed |\n|---|---|---|---|");
    for (name, project) in projects() {
        let files = checked(&project);
        let parts = || files.iter().flat_map(|file| &file.parts);
        let statements: usize = parts().map(|(checked, _)| checked.statements.len()).sum();
        let unread: usize = parts().map(|(checked, _)| checked.not_analysed.len()).sum();
        let unknown =
            parts().flat_map(|(checked, _)| &checked.statements).filter(|it| !it.effect.known).count();
        assert!(unknown <= unread, "{name}: {unknown} statements are not known, and {unread} are listed");
        println!("| {name} | {} | {statements} | {:.2} % |", files.len(), share(statements, unread));
        (all, all_unread) = (all + statements, all_unread + unread);
    }
    println!("| all | | {all} | {:.2} % |", share(all, all_unread));
    assert!(all == 0 || share(all, all_unread) > 99.0);
}

/// The relations of queries, beside what sqlparser's tree says of those that it can read.
#[test]
fn relations_of_queries_are_those_of_their_tree() {
    let (mut queries, mut other) = (0, Vec::new());
    for (_, project) in projects() {
        let sources = project.folders.iter().flat_map(|it| &it.migrations).flat_map(|it| &it.files);
        for source in sources {
            let lower = source.text.to_ascii_lowercase();
            for (at, _) in lower.match_indices("select").chain(lower.match_indices("with ")) {
                let Some(text) = source.text.get(at..).and_then(|it| it.split(';').next()) else { continue };
                let Some(tree) = by_tree(text) else { continue };
                let query = QueryText { text: text.to_owned(), ..QueryText::default() };
                let ours: BTreeSet<String> =
                    query.relations(Dialect::Postgres).into_iter().map(|it| it.name).collect();
                queries += 1;
                // The tree holds what the query names for itself too.
                if !ours.is_subset(&tree) || tree.difference(&ours).any(|it| !names_for_itself(text, it)) {
                    other.push(format!("{}: {ours:?}, its tree {tree:?}", source.path));
                }
            }
        }
    }
    println!("{} of {queries} queries have the relations of their tree", queries - other.len());
    assert!(other.len() * 100 <= queries, "{other:#?}");
}

fn by_tree(text: &str) -> Option<BTreeSet<String>> {
    let dialect = sqlparser::dialect::PostgreSqlDialect {};
    let mut parser = sqlparser::parser::Parser::new(&dialect).try_with_sql(text).ok()?;
    let query = parser.parse_query().ok()?;
    (parser.peek_token().token == sqlparser::tokenizer::Token::EOF).then_some(())?;
    let mut names = BTreeSet::new();
    let _ = sqlparser::ast::visit_relations(&query, |relation| {
        let last = relation.0.last().and_then(|it| it.as_ident());
        names.extend(last.map(|it| match it.quote_style {
            Some(_) => it.value.clone(),
            None => it.value.to_lowercase(),
        }));
        std::ops::ControlFlow::<()>::Continue(())
    });
    Some(names)
}

/// Whether a query gives a name to a part of itself, or calls a function of that name.
fn names_for_itself(text: &str, name: &str) -> bool {
    let (text, name) = (text.to_lowercase(), name.to_lowercase());
    text.match_indices(&name).any(|(at, _)| {
        let behind = text[at + name.len()..].trim_start_matches('"').trim_start();
        behind.starts_with("as ") || behind.starts_with("as(") || behind.starts_with('(')
    })
}

fn share(all: usize, without: usize) -> f64 {
    if all == 0 { 100.0 } else { 100.0 * (all - without.min(all)) as f64 / all as f64 }
}

#[test]
fn the_history_of_crates_io_replays_to_its_end() {
    for (_, project) in projects().into_iter().filter(|(name, _)| name == "crates.io") {
        let folder = project.folders.first().expect("has migrations");
        let history = History::replay(&project, folder);
        let tables = history.after().tables().count();
        let uncertain = history.after().relations().filter(|(_, relation)| relation.uncertain).count();
        println!("crates.io: {tables} tables at its end, {uncertain} uncertain");
        assert!(tables > 20, "{tables} tables");
        assert!(history.after().table_named(&lockkeeper_core::dialect::Name::new("versions")).is_some());
    }
}

/// Every migration is rewritten in every way, or refused in words.
#[test]
fn every_migration_is_rewritten_or_refused_in_words() {
    let now = Timestamp::from_unix(1_800_000_000);
    println!("| project | with a recipe | rewritten | refused |\n|---|---|---|---|");
    for (name, project) in projects() {
        let (mut offered, mut written, mut refused) = (0, 0, 0);
        for file in checked(&project) {
            if !file.hazards().any(|hazard| !hazard.recipes.is_empty()) {
                continue;
            }
            offered += 1;
            let ways = rewrite::ways(&file);
            for way in ways.iter().copied().filter(|it| *it != Way::Window) {
                match rewrite::rewrite(&project, &file, way, &Answers::new(), now) {
                    Ok(rewrite) => {
                        let paths: BTreeSet<&str> = rewrite.files.iter().map(|it| it.path.as_str()).collect();
                        assert_eq!(paths.len(), rewrite.files.len(), "{}: one path for two files", file.path);
                        assert!(!rewrite.files.is_empty(), "{}", file.path);
                        written += usize::from(way == ways[0]);
                    }
                    Err(error) => {
                        assert!(error.message.len() > 20, "{}: {}", file.path, error.message);
                        refused += usize::from(way == ways[0]);
                    }
                }
            }
        }
        println!("| {name} | {offered} | {written} | {refused} |");
    }
}

/// What is found in all of them, by rule; with `LOCKKEEPER_SAMPLE=SEED` also 200 findings drawn at random, to be read.
#[test]
fn findings_are_counted_by_rule() {
    let (mut findings, mut statements) = (Vec::new(), 0);
    for (name, project) in projects() {
        for file in checked(&project) {
            statements += file.parts.iter().map(|(checked, _)| checked.statements.len()).sum::<usize>();
            let told = file.hazards().map(|hazard| {
                let line = file.text[..hazard.span.start].lines().count().max(1);
                let words: Vec<&str> = file.text[hazard.span.start..].split_whitespace().take(14).collect();
                let place = format!("{name}/{}:{line}", file.path);
                (hazard.rule, format!("{}: {} || {}", place, hazard.message, words.join(" ")))
            });
            findings.extend(told);
        }
    }
    if statements == 0 {
        return;
    }
    let mut by_rule = std::collections::BTreeMap::<&str, usize>::new();
    for (rule, _) in &findings {
        *by_rule.entry(rule).or_default() += 1;
    }
    println!("| rule | findings | per 1,000 of {statements} statements |\n|---|---|---|");
    for (rule, count) in &by_rule {
        println!("| {rule} | {count} | {:.1} |", 1_000.0 * *count as f64 / statements as f64);
    }
    println!("| all | {} | {:.0} |", findings.len(), 1_000.0 * findings.len() as f64 / statements as f64);
    // Half a finding for each statement is already a lot to read.
    assert!(findings.len() < statements, "more findings than statements: nobody reads that");
    if let Some(seed) = std::env::var("LOCKKEEPER_SAMPLE").ok().and_then(|it| it.parse().ok()) {
        sample(findings, seed);
    }
}

/// Prints 200 findings: the same for the same seed and the same findings.
fn sample(mut findings: Vec<(&str, String)>, seed: u64) {
    findings.sort();
    let mut state = seed.max(1);
    for number in 1..=200.min(findings.len()) {
        // Xorshift: enough to draw lots.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let (rule, text) = findings.swap_remove((state % findings.len() as u64) as usize);
        println!("{number} [{rule}] {text}");
    }
}
