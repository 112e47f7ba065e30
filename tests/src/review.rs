//! Changes in several steps that somebody else wrote: files, and plans in words.

use serde_json::{Value, json};

use crate::desk::Desk;

const MIGRATION: &str = "db/migrations/20260114100000_rename_user_name.sql";

#[track_caller]
fn reviewed(desk: &Desk, arguments: &[&str], code: i32) -> Value {
    let output = desk.run(&[&["review", "--format", "json"], arguments].concat());
    assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("is JSON")
}

fn write(desk: &Desk, path: &str, text: &str) {
    std::fs::write(desk.folder.path().join("project").join(path), text).expect("can be written");
}

fn objections(report: &Value) -> Vec<&str> {
    report["objections"].as_array().expect("a list").iter().filter_map(|it| it["message"].as_str()).collect()
}

/// Our own steps, read as those of a stranger: the release has its place, and nothing stands against them.
#[test]
fn what_rewrite_makes_passes() {
    let desk = Desk::new();
    let written = desk.run(&["rewrite", MIGRATION, "--write", "--all", "--format", "json"]);
    let written: Value = serde_json::from_slice(&written.stdout).expect("is JSON");
    let paths: Vec<&str> =
        written["files"].as_array().expect("a list").iter().filter_map(|it| it["path"].as_str()).collect();
    let report = reviewed(&desk, &paths, 0);
    assert_eq!(report["steps"].as_array().map(Vec::len), Some(7), "{report:#}");
    assert_eq!(objections(&report), Vec::<&str>::new(), "{report:#}");
    // The plan releases before its last file, and that is in the window that review finds.
    assert_eq!(report["releases"], json!([{"release": "new", "behind_step": 1, "before_step": 7}]));
    assert_eq!(report["point_of_no_return"], 7, "{report:#}");
}

#[test]
fn one_step_that_both_releases_cannot_share_is_refused() {
    let desk = Desk::new();
    let report = reviewed(&desk, &[MIGRATION], 1);
    assert_eq!((&report["releasable"], &report["verdict"]), (&json!(false), &json!("block")));
    assert!(objections(&report)[0].contains("fails from step 1 on (column users.name is gone"), "{report:#}");
}

/// A plan of a team in its own words, with the faults that such plans have.
#[test]
fn a_plan_in_words_is_judged_by_its_sql_and_looked_through() {
    let desk = Desk::new();
    let head = "# Nickname\n\nWe move `users.locale` to `users.language`.\n\n## Expand\n\n```sql\nALTER TABLE users ADD COLUMN language text;\n```\n\n";
    let fill = "## Backfill\n\nTakes about 20 min.\n\n```sql\nUPDATE users SET language = locale;\n```\n\nThen check:\n\n```sql\nSELECT count(*) FROM users WHERE language IS NULL;\n```\n\n";
    let contract = "## Contract\n\n1. When nobody reads it:\n\n   ```sql\n   ALTER TABLE users DROP COLUMN locale;\n   ```\n\n## Rollback\n\nRoll back if more than 1 % of requests fail:\n\n```sql\nALTER TABLE users ADD COLUMN locale text;\n```\n";
    write(&desk, "plan.md", &format!("{head}{fill}{contract}"));
    let report = reviewed(&desk, &["plan.md"], 0);
    let names: Vec<&str> =
        report["steps"].as_array().expect("a list").iter().filter_map(|it| it["name"].as_str()).collect();
    assert_eq!(names, ["line 8: Expand", "line 16: Backfill", "line 30: Contract"], "{report:#}");
    assert!(objections(&report).iter().any(|it| it.contains("users.locale behind this step")), "{report:#}");
    assert_eq!(report["steps"][2]["goes_back"], true, "{report:#}");
    let lines: Vec<(&str, &Value)> = report["checklist"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| (it["point"].as_str().expect("words"), &it["line"]))
        .collect();
    let line =
        |words: &str| lines.iter().find(|(point, _)| point.contains(words)).expect("a point").1.clone();
    assert_eq!(
        (line("a number"), line("backup"), line("how long")),
        (json!(35), Value::Null, json!(13)),
        "{lines:?}"
    );
    // What a step does to others stands at its line of the plan.
    let finding = &report["steps"][1]["findings"][0];
    assert_eq!(
        (&finding["rule"], &finding["line"]),
        (&json!("unbounded-data-change"), &json!(16)),
        "{report:#}"
    );
    // Without a step in between the same plan has no place for the release.
    write(&desk, "plan.md", "```sql\nALTER TABLE users RENAME COLUMN locale TO language;\n```\n");
    assert_eq!(reviewed(&desk, &["plan.md"], 1)["releasable"], false);
}

/// What nobody could read is no pass.
#[test]
fn what_could_not_be_read_is_told() {
    let desk = Desk::new();
    write(
        &desk,
        "plan.md",
        "```sql\nALTER TABLE users ADD COLUMN language text;\n```\n\n```sql\nDO $$ BEGIN EXECUTE x; END $$;\n```\n",
    );
    let report = reviewed(&desk, &["plan.md"], 5);
    assert_eq!(
        (&report["verdict"], &report["unread"][0]["line"]),
        (&json!("unread"), &json!(6)),
        "{report:#}"
    );
    let path = "db/migrations/20260201000000_odd.sql";
    write(
        &desk,
        path,
        "-- migrate:up\nSET lock_timeout = '1s';\nDO $$ BEGIN EXECUTE x; END $$;\n-- migrate:down\nSELECT 1;\n",
    );
    assert_eq!(reviewed(&desk, &[path], 5)["unread"][0]["name"], path);
}

#[test]
fn what_cannot_be_reviewed_is_said() {
    let desk = Desk::new();
    let refused = |arguments: &[&str], because: &str| {
        let output = desk.run(&[&["review"], arguments].concat());
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && told.contains(because), "{arguments:?}: {told}");
    };
    refused(&[], "say which steps");
    refused(&["no.sql"], "does not exist");
    write(&desk, "plan.md", "# Nothing\n\n```sql\nSELECT 1;\n```\n");
    refused(&["plan.md"], "no block of SQL in it changes anything");
    refused(&["src"], "no migration for PostgreSQL among them");
}
