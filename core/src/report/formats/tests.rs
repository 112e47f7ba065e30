//! Each format over one report that holds something of everything.

use expect_test::expect_file;
use serde_json::Value;

use super::super::{
    CheckReport, EditReport, FileReport, FixReport, HazardReport, NotAnalysedReport, Place, ProblemReport,
    ReferenceReport, ReleaseReport, RewriteReport, RewrittenFile, UnreadReport,
};
use super::{Format, Surroundings, render};
use crate::dialect::Target;
use crate::policy::Policy;

fn place(line: usize, column: usize, length: usize) -> Place {
    Place { start: 0, end: length, line, column, end_line: line, end_column: column + length }
}

fn hazard(rule: &str, severity: &str, message: &str, line: usize) -> HazardReport {
    HazardReport {
        rule: rule.to_owned(),
        severity: severity.to_owned(),
        message: message.to_owned(),
        span: place(line, 3, 5),
        statement: line - 1,
        effect: None,
        estimate: None,
        references: Vec::new(),
        fixes: Vec::new(),
        recipes: Vec::new(),
        preflight: None,
        direction: "up".to_owned(),
        fingerprint: format!("{rule}-{line}"),
    }
}

fn file(path: &str, hazards: Vec<HazardReport>) -> FileReport {
    FileReport {
        path: path.to_owned(),
        framework: "plain".to_owned(),
        target: (&Target::default()).into(),
        statements: 3,
        not_analysed: Vec::new(),
        hazards,
        allowed: Vec::new(),
        allowance_problems: Vec::new(),
        rewrite_refused: None,
        unread: Vec::new(),
    }
}

/// Names hold what each format has to escape.
fn report() -> CheckReport {
    let reference = ReferenceReport {
        path: "src/users.ts".to_owned(),
        line: 7,
        column: 2,
        start: 0,
        end: 4,
        kind: "read".to_owned(),
        certainty: "certain".to_owned(),
        by_place: false,
        excerpt: "SELECT `name` | x".to_owned(),
    };
    let edit = EditReport { span: place(1, 1, 0), text: "SET lock_timeout = '2s';\n".to_owned() };
    let fix = FixReport {
        title: "Give up after two seconds, and try again".to_owned(),
        applicability: "safe".to_owned(),
        edits: vec![edit],
    };
    let danger = HazardReport {
        references: vec![reference],
        recipes: vec!["rename-column".to_owned()],
        ..hazard("renamed-column", "danger", "users.\"a,b:c|<&%@x\"\r\nis gone", 1)
    };
    let warning = HazardReport {
        fixes: vec![fix],
        direction: "down".to_owned(),
        ..hazard("no-lock-timeout", "warning", "waits for users", 2)
    };
    let first = FileReport {
        allowance_problems: vec![NotAnalysedReport {
            span: place(9, 1, 10),
            reason: "nothing here is table-copy: remove it".to_owned(),
        }],
        unread: vec![UnreadReport {
            path: "db/1 50%,a:b.sql".to_owned(),
            span: Some(place(4, 1, 8)),
            reason: "EXECUTE runs a text that is not known".to_owned(),
            way_out: "check that text by itself".to_owned(),
            fingerprint: String::new(),
        }],
        ..file("db/1 50%,a:b.sql", vec![danger, warning])
    };
    let second = file("db/2.sql", vec![hazard("table-copy", "note", "copies", 1)]);
    let problem = |path: &str, message: &str, unread| ProblemReport {
        path: path.to_owned(),
        message: message.to_owned(),
        advice: "look at it".to_owned(),
        unread,
    };
    let problems = vec![problem("schema.sql", "a dump", false), problem("app/models.py", "is Django", true)];
    let files = vec![first, second, file("db/3.sql", Vec::new())];
    CheckReport::new(&Target::default(), files, problems, &Policy::default())
}

fn surroundings() -> Surroundings {
    let file = |step: usize, content: &str| RewrittenFile {
        path: format!("db/1_{step}.sql"),
        step,
        title: "Add full_name".to_owned(),
        before: Vec::new(),
        phase: "expand".to_owned(),
        content: content.to_owned(),
        replaces: step == 1,
        held: false,
        kept_in: None,
    };
    let rewrite = RewriteReport {
        version: 1,
        strategy: "database-triggers".to_owned(),
        files: vec![file(1, "ALTER TABLE users ADD full_name text;\n"), file(2, "SELECT 1;\n")],
        edits: Vec::new(),
        releases: vec![ReleaseReport {
            after_phase: "expand".to_owned(),
            before_file: Some("db/1_2.sql".to_owned()),
            must: Vec::new(),
        }],
        notes: Vec::new(),
        written: false,
    };
    Surroundings { prefix: "shop/".to_owned(), rewrites: vec![("db/1.sql".to_owned(), rewrite)] }
}

fn rendered(format: Format) -> String {
    render(&report(), format, &surroundings())
}

#[test]
fn gcc_is_a_line_per_finding() {
    expect_file!["expected/gcc.txt"].assert_eq(&rendered(Format::Gcc));
}

#[test]
fn github_commands_hold_no_raw_separators() {
    expect_file!["expected/github.txt"].assert_eq(&rendered(Format::Github));
}

#[test]
fn gitlab_issues_have_fingerprints_and_places() {
    expect_file!["expected/gitlab.json"].assert_eq(&rendered(Format::Gitlab));
}

#[test]
fn junit_has_a_suite_per_file() {
    expect_file!["expected/junit.xml"].assert_eq(&rendered(Format::Junit));
}

#[test]
fn markdown_has_a_table_and_details() {
    expect_file!["expected/comment.md"].assert_eq(&rendered(Format::Markdown));
}

#[test]
fn sarif_has_rules_results_and_notifications() {
    let mut sarif: Value = serde_json::from_str(&rendered(Format::Sarif)).expect("is JSON");
    // The pages of rules are tested where they are.
    for rule in sarif["runs"][0]["tool"]["driver"]["rules"].as_array_mut().expect("a list") {
        rule.as_object_mut().expect("a rule").remove("help");
    }
    expect_file!["expected/sarif.json"].assert_eq(&format!("{sarif:#}\n"));
}

/// What the published schema and GitHub ask of each result, whatever the snapshot says.
#[test]
fn sarif_results_name_their_rules_and_places() {
    let sarif: Value = serde_json::from_str(&rendered(Format::Sarif)).expect("is JSON");
    let run = &sarif["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().expect("a list");
    let results = run["results"].as_array().expect("a list");
    assert_eq!(results.len(), 6);
    for result in results {
        let rule =
            result["ruleIndex"].as_u64().and_then(|it| rules.get(it as usize)).expect("is in the list");
        assert_eq!(rule["id"], result["ruleId"]);
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().expect("a place");
        assert!(uri.bytes().all(|it| it.is_ascii_graphic() && !b"<>\"{}|\\^`".contains(&it)), "{uri}");
        assert!(place["region"].is_null() || place["region"]["startLine"].as_u64() >= Some(1), "{place}");
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().expect("a level")));
    }
}

#[test]
fn nothing_found_is_said_in_each_format() {
    let files = vec![file("db/3.sql", Vec::new())];
    let report = CheckReport::new(&Target::default(), files, Vec::new(), &Policy::default());
    let of = |format| render(&report, format, &Surroundings::default());
    assert_eq!(
        (of(Format::Gcc), of(Format::Github), of(Format::Gitlab)),
        (String::new(), String::new(), "[]\n".to_owned())
    );
    assert!(of(Format::Junit).contains("<testcase name=\"no hazards\" classname=\"db/3.sql\"/>"));
    assert!(of(Format::Markdown).contains("✅ This check passes. 3 statements in 1 file checked"));
    let sarif: Value = serde_json::from_str(&of(Format::Sarif)).expect("is JSON");
    assert_eq!(sarif["runs"][0]["results"], Value::Array(Vec::new()));
}

/// A hazard fails the check from the severity that the call states, and what is unread unless the call lets it pass.
#[test]
fn what_fails_is_a_failure() {
    let mut report = report();
    let count = |report: &CheckReport, what: &str| {
        render(report, Format::Junit, &surroundings()).matches(what).count()
    };
    assert_eq!((count(&report, "<failure"), count(&report, "<error")), (1, 2));
    report.fail_on = "note".to_owned();
    report.allow_unread = true;
    assert_eq!((count(&report, "<failure"), count(&report, "<error")), (3, 0));
}
