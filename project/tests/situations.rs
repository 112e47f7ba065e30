//! Situations in, decisions out: what is recommended for eight changes as facts and answers differ, and where it flips. The table was read line
//! by line as a specialist would; a line that changes is read again.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use expect_test::expect_file;
use lockkeeper_core::report::{PlanReport, strategist};
use lockkeeper_core::signals::{Answer, QUESTIONS, STATED, Stated, fact_refusal, refusal};
use lockkeeper_core::strategies::Course;
use lockkeeper_project::analysis;
use lockkeeper_project::discover;
use lockkeeper_project::planning::{Said, gather, plan};

const BASE: &str = "-- migrate:up
CREATE TABLE memberships (user_id bigint PRIMARY KEY, organization_id bigint NOT NULL);
CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL, email text, age int, legacy_flags text, note varchar(200));
CREATE INDEX users_email ON users (email);
CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint NOT NULL REFERENCES users (id), total int);
-- migrate:down
DROP TABLE orders; DROP TABLE users; DROP TABLE memberships;
";

/// Each change with the words for its lines.
const CHANGES: &[(&str, &str, &str)] = &[
    (
        "rename",
        "ALTER TABLE users RENAME COLUMN name TO full_name;",
        "ALTER TABLE users RENAME COLUMN full_name TO name;",
    ),
    (
        "required",
        "ALTER TABLE users ADD COLUMN organization_id bigint;
UPDATE users SET organization_id = m.organization_id FROM memberships m WHERE m.user_id = users.id;
ALTER TABLE users ALTER COLUMN organization_id SET NOT NULL;",
        "ALTER TABLE users DROP COLUMN organization_id;",
    ),
    ("index", "CREATE INDEX orders_user ON orders (user_id);", "DROP INDEX orders_user;"),
    (
        "drop",
        "ALTER TABLE users DROP COLUMN legacy_flags;",
        "ALTER TABLE users ADD COLUMN legacy_flags text;",
    ),
    (
        "type",
        "ALTER TABLE orders ALTER COLUMN total TYPE bigint;",
        "ALTER TABLE orders ALTER COLUMN total TYPE int;",
    ),
    ("nullable", "ALTER TABLE users ADD COLUMN nickname text;", "ALTER TABLE users DROP COLUMN nickname;"),
    ("table", "ALTER TABLE orders RENAME TO purchases;", "ALTER TABLE purchases RENAME TO orders;"),
    (
        "narrow",
        "ALTER TABLE users ALTER COLUMN note TYPE varchar(50);",
        "ALTER TABLE users ALTER COLUMN note TYPE varchar(200);",
    ),
];

/// Each situation: answers and facts that differ from the ordinary ones.
const SITUATIONS: &[(&str, &[&str])] = &[
    ("ordinary: 5M rows, no downtime, two releases", &[]),
    ("12 rows", &["table-rows=12"]),
    ("5 billion rows", &["table-rows=5bn"]),
    ("waits of 10 s", &["downtime-allowed=10 s"]),
    ("a window of 5 min", &["downtime-allowed=5 min at night"]),
    ("a window of 2 h at night, quiet", &["downtime-allowed=2h at night", "quiet-hours=2 to 5 in the night"]),
    (
        "a window, nothing may be lost, weeks to go back",
        &["downtime-allowed=2h", "acceptable-loss=none", "rollback-window=weeks"],
    ),
    ("no release in between", &["releases-between-steps=0"]),
    ("any number of releases, others write too", &["releases-between-steps=any", "every-writer-is-here=no"]),
    (
        "flags, errors measured, 99.99 %",
        &["feature-flags=Unleash", "application-monitoring=Datadog", "availability=99.99 %"],
    ),
    (
        "nothing known, never restored, a window",
        &["downtime-allowed=2h", "verified-backup=never", "ci-runs-migrations=none"],
    ),
    ("20,000 writes a second, replicas", &["write-rate=20000", "replicas=3"]),
];

fn ordinary() -> Vec<(String, String)> {
    [
        ("downtime-allowed", "none"),
        ("releases-between-steps", "2"),
        ("every-writer-is-here", "yes"),
        ("table-rows", "5M"),
        ("rollback-window", "release"),
        ("verified-backup", "2026-11-01, restored to staging"),
    ]
    .map(|(id, value)| (id.to_owned(), value.to_owned()))
    .to_vec()
}

fn said(pairs: &[(String, String)]) -> Said {
    let mut said = Said::default();
    for (id, value) in pairs {
        if QUESTIONS.iter().any(|it| it.id == id) {
            assert_eq!(refusal(id, value), None);
            let answer = Answer { value: value.clone(), source: "test".to_owned() };
            said.answers.push((id.clone(), answer));
        } else {
            assert_eq!(fact_refusal(id, value), None);
            said.facts.push(Stated { id: id.clone(), value: value.clone(), source: "test".to_owned() });
        }
    }
    said
}

/// The ordinary answers with others in their places.
fn with(others: &[&str]) -> Vec<(String, String)> {
    let others: Vec<(String, String)> = others
        .iter()
        .map(|it| it.split_once('=').expect("ID=VALUE"))
        .map(|(id, value)| (id.to_owned(), value.to_owned()))
        .collect();
    let kept = ordinary().into_iter().filter(|(id, _)| others.iter().all(|(other, _)| other != id));
    kept.chain(others.clone()).collect()
}

struct Repository {
    root: tempfile::TempDir,
}

impl Repository {
    fn new() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        };
        write("lockkeeper.toml", "dialect = \"postgres\"\ntarget-version = \"15\"\n");
        write("db/migrations/20260101000000_base.sql", BASE);
        write(
            "src/users.ts",
            "export const all = `SELECT id, name, email FROM users`;\nexport const add = `INSERT INTO users (id, name) VALUES ($1, $2)`;\nexport const flags = `SELECT legacy_flags FROM users`;\nexport const orders = `SELECT id, total FROM orders`;\n",
        );
        for (number, (name, up, down)) in CHANGES.iter().enumerate() {
            let text = format!("-- migrate:up\n{up}\n-- migrate:down\n{down}\n");
            write(&format!("changes/{name}/db/migrations/2026020100000{number}_{name}.sql"), &text);
            write(&format!("changes/{name}/db/migrations/20260101000000_base.sql"), BASE);
            write(
                &format!("changes/{name}/lockkeeper.toml"),
                "dialect = \"postgres\"\ntarget-version = \"15\"\n",
            );
            write(
                &format!("changes/{name}/src/users.ts"),
                "export const all = `SELECT id, name, email, legacy_flags, note FROM users`;\nexport const add = `INSERT INTO users (id, name) VALUES ($1, $2)`;\nexport const orders = `SELECT id, total FROM orders`;\n",
            );
        }
        Self { root }
    }

    fn report(&self, change: &str, said: &Said) -> PlanReport {
        self.report_of(change, said, None)
    }

    fn report_of(&self, change: &str, said: &Said, course: Option<Course>) -> PlanReport {
        let number = CHANGES.iter().position(|(name, ..)| *name == change).expect("a change");
        let path = format!("changes/{change}/db/migrations/2026020100000{number}_{change}.sql");
        let path = self.root.path().join(path);
        let project = discover(&path).expect("a project");
        let text = std::fs::read_to_string(&path).expect("a migration");
        let policies = analysis::policies(&project, None);
        let file =
            analysis::check_path(&project, Path::new(&path), Some(&text), &policies).expect("a migration");
        plan(&project, &file, &gather(&project, &file.path, said), course).report
    }
}

#[test]
fn situations_decide() {
    let repository = Repository::new();
    let mut table = String::new();
    for (change, ..) in CHANGES {
        let _ = writeln!(table, "# {change}");
        for (situation, others) in SITUATIONS {
            let report = repository.report(change, &said(&with(others)));
            let possible: Vec<String> = report
                .strategies
                .iter()
                .filter(|it| it.excluded.is_none())
                .map(|it| format!("{} {:.0}", it.name, it.points))
                .collect();
            let Some(recommendation) = &report.recommendation else {
                let _ = writeln!(table, "{situation}: none is possible");
                continue;
            };
            let _ = writeln!(table, "{situation}: {} [{}]", recommendation.strategy, possible.join(", "));
            assert!(
                (3..=6).contains(&recommendation.reasons.len()),
                "{change}, {situation}: {:?}",
                recommendation.reasons
            );
            for flip in &recommendation.flips {
                let _ = writeln!(table, "    with {}: {}", flip.when, flip.strategy);
                assert_ne!(flip.strategy, recommendation.strategy);
            }
        }
    }
    expect_file!["situations.txt"].assert_eq(&table);
}

/// A flip is no phrase: where its fact is so, the other strategy is recommended.
#[test]
fn flips_come_true() {
    let repository = Repository::new();
    let mut tried = 0;
    for (change, ..) in CHANGES {
        let report = repository.report(change, &said(&with(&["downtime-allowed=none"])));
        let Some(recommendation) = report.recommendation else { continue };
        for flip in &recommendation.flips {
            let other: Vec<&str> = match (flip.fact.as_str(), flip.when.as_str()) {
                ("every-writer-is-here", _) => vec!["every-writer-is-here=no"],
                ("feature-flags", "reads can move behind a feature flag") => vec!["feature-flags=Unleash"],
                ("rollback-window", "going back need not be possible") => vec!["rollback-window=none"],
                ("rollback-window", _) => vec!["rollback-window=14 days"],
                ("releases-between-steps", "no release is possible in between") => {
                    vec!["releases-between-steps=0"]
                }
                ("downtime-allowed", "waits of 10 s are accepted") => vec!["downtime-allowed=10 s"],
                _ => continue,
            };
            tried += 1;
            let there = repository.report(change, &said(&with(&other))).recommendation.map(|it| it.strategy);
            assert_eq!(there.as_deref(), Some(flip.strategy.as_str()), "{change}: {}", flip.when);
        }
        let amounts = recommendation
            .flips
            .iter()
            .filter(|it| it.when.contains("window of") || it.when.contains("rows"));
        for flip in amounts {
            let words: Vec<&str> = flip.when.split_whitespace().collect();
            let number: String = words
                .iter()
                .skip_while(|it| !it.starts_with(|c: char| c.is_ascii_digit()))
                .take(2)
                .copied()
                .collect::<Vec<_>>()
                .join(" ");
            let number = number.trim_end_matches(" rows").trim_end_matches(" or");
            let other = match flip.fact.as_str() {
                "downtime-allowed" => format!("downtime-allowed={number}"),
                // A little beyond the threshold, which is rounded.
                "table-rows" => {
                    let rows = lockkeeper_core::quantity::count(number).expect("a number") as f64;
                    let beyond = if flip.when.starts_with("more") { rows * 1.1 } else { rows * 0.9 };
                    format!("table-rows={}", beyond as u64)
                }
                _ => continue,
            };
            tried += 1;
            let there =
                repository.report(change, &said(&with(&[&other]))).recommendation.map(|it| it.strategy);
            assert_eq!(there.as_deref(), Some(flip.strategy.as_str()), "{change}: {} ({other})", flip.when);
        }
    }
    assert!(tried >= 10, "{tried} flips were tried");
}

/// What changes nothing is not asked: each answer and each fact changes a plan, its strategies or its report beyond naming itself.
#[test]
fn every_answer_and_fact_matters() {
    let repository = Repository::new();
    let others: &[(&str, &str)] = &[
        ("downtime-allowed", "2h"),
        ("releases-between-steps", "0"),
        ("every-writer-is-here", "no"),
        ("table-rows", "50"),
        ("rollback-window", "weeks"),
        ("verified-backup", "never"),
        ("acceptable-loss", "none"),
        ("critical-data", "invoices"),
        ("compliance", "retention"),
        ("other-consumers", "cache"),
        ("write-rate", "5000"),
        ("availability", "99.99"),
        ("quiet-hours", "at night"),
        ("narrowing", "clamp"),
        ("rows.users", "50"),
        ("rows.orders", "50"),
        ("row-bytes.users", "4000"),
        ("writes.users", "3000"),
        ("publications.users", "feed"),
        ("unfinished.users", "index users_name is invalid"),
        ("longest-transaction", "10 min"),
        ("replicas", "2"),
        ("feature-flags", "Unleash"),
        ("backups", "pgBackRest"),
        ("application-monitoring", "Datadog"),
        ("connection-pooler", "PgBouncer"),
        ("ci-runs-migrations", "dbmate"),
        ("tests-on-engine", "Testcontainers"),
        ("owner", "@data"),
    ];
    // The way in which one decides may need another.
    let grounds: &[&[&str]] = &[
        &[],
        &["downtime-allowed=2h"],
        &["releases-between-steps=any"],
        &["verified-backup=never", "downtime-allowed=2h"],
    ];
    for (id, value) in others {
        let matters = CHANGES.iter().any(|(change, ..)| {
            grounds.iter().any(|ground| {
                let before = with(ground);
                let mut after: Vec<(String, String)> =
                    before.iter().filter(|(it, _)| it != id).cloned().collect();
                after.push(((*id).to_owned(), (*value).to_owned()));
                decisions(&repository.report(change, &said(&before)))
                    != decisions(&repository.report(change, &said(&after)))
            })
        });
        assert!(matters, "{id} = {value} changes nothing");
    }
    let tried = |id: &str| others.iter().any(|(it, _)| *it == id || it.split('.').next() == Some(id));
    let untried: Vec<&str> = QUESTIONS
        .iter()
        .map(|it| it.id)
        .chain(STATED.iter().map(|it| it.id))
        .filter(|it| !tried(it))
        .collect();
    // The version is what the target is made of; the others say where a threshold is read and who else has to move.
    assert_eq!(untried, ["engine-version", "monitoring", "hosting", "datastores"]);
}

/// The report without what only repeats the facts and answers.
fn decisions(report: &PlanReport) -> String {
    let mut value = serde_json::to_value(report).expect("a value");
    let all = value.as_object_mut().expect("an object");
    for repeated in ["signals", "questions"] {
        all.remove(repeated);
    }
    value.to_string()
}

#[test]
fn nothing_is_planned_while_a_question_that_blocks_is_open() {
    let repository = Repository::new();
    for open in ["downtime-allowed", "table-rows", "rollback-window", "verified-backup"] {
        let answers: Vec<(String, String)> = ordinary().into_iter().filter(|(id, _)| id != open).collect();
        let report = repository.report("rename", &said(&answers));
        assert_eq!(report.blocked_by, [open]);
        assert!(report.plan.is_none());
    }
}

/// Every course of every change, also those that are not possible, is told whole: criteria, thresholds with a number, ids that are one each, and the
/// same steps in all forms of the report.
#[test]
fn every_plan_is_whole() {
    let repository = Repository::new();
    let mut plans = 0;
    for (change, ..) in CHANGES {
        for course in Course::ALL {
            let report = repository.report_of(change, &said(&with(&["downtime-allowed=2h"])), Some(course));
            let Some(plan) = &report.plan else { continue };
            plans += 1;
            let mut ids = BTreeSet::new();
            for phase in &plan.phases {
                let place = format!("{change}, {}, {}", plan.strategy, phase.phase);
                assert!(
                    !phase.entry.is_empty() && !phase.exit.is_empty() && !phase.steps.is_empty(),
                    "{place}"
                );
                assert!(
                    !phase.owner.is_empty() && !phase.measured.is_empty() && !phase.rollback.is_empty(),
                    "{place}"
                );
                let thresholded = phase.phase == "assessment"
                    || phase.trigger.contains(|it: char| it.is_ascii_digit())
                    || phase.trigger.contains("one ");
                assert!(thresholded, "{place}: {}", phase.trigger);
                for step in &phase.steps {
                    assert!(ids.insert(step.id.clone()), "{place}: {} twice", step.id);
                    let is_told = step.sql.is_some() || !step.must.is_empty() || step.kind == "check";
                    assert!(is_told && !step.title.is_empty(), "{place}: {}", step.number);
                }
            }
            let json = strategist::json(&report);
            let told: Vec<&str> = json["steps"]
                .as_array()
                .expect("steps")
                .iter()
                .filter_map(|it| it["id"].as_str())
                .filter(|it| !it.ends_with("-nothing"))
                .collect();
            let planned: Vec<&str> = plan
                .phases
                .iter()
                .flat_map(|it| &it.steps)
                .filter(|it| it.kind != "check")
                .map(|it| it.id.as_str())
                .collect();
            assert_eq!(told, planned, "{change}, {}", plan.strategy);
            let html = strategist::html(&report);
            for id in &planned {
                assert!(
                    id.starts_with("release-") || html.contains(id),
                    "{change}: the page does not name {id}"
                );
            }
            // Nothing is loaded, nothing runs.
            assert!(!html.contains("<script") && !html.contains("://"), "{change}");
            // A live release never fails in a plan that may be chosen.
            let possible =
                report.strategies.iter().any(|it| it.name == plan.strategy && it.excluded.is_none());
            let fails = plan
                .compatibility
                .iter()
                .flat_map(|it| &it.releases)
                .filter(|it| it.live && !it.works)
                .count();
            assert!(
                !possible || course.stops() || fails == 0,
                "{change}, {}: {fails} live releases fail",
                plan.strategy
            );
        }
    }
    assert!(plans >= 40, "{plans} plans");
}
