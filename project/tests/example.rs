//! The example service, as a reader of its README meets it.

use std::path::{Path, PathBuf};

use expect_test::expect;
use lockkeeper_core::signals::{open as open_questions, questions};
use lockkeeper_project::discover::Place;
use lockkeeper_project::references::references;
use lockkeeper_project::signals::signals;
use lockkeeper_project::target::target;
use lockkeeper_project::{Project, discover};

fn shop() -> Project {
    let root: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/shop");
    discover(&root.join("src/db.ts")).expect("the example is a project")
}

#[test]
fn its_folder_and_target_are_found() {
    let project = shop();
    let [folder] = project.folders.as_slice() else { panic!("one folder") };
    assert_eq!((folder.framework.id, folder.path.as_str()), ("dbmate", "db/migrations"));
    assert_eq!(folder.all_problems().count(), 0);
    let target = target(&project, folder);
    assert_eq!((target.version.major, target.source.as_str()), (15, "lockkeeper.toml:2"));
    let rename = "db/migrations/20260114100000_rename_user_name.sql";
    assert_eq!(folder.before(rename).len(), 5);
    assert!(matches!(project.classify_file(&project.root.join(rename)), Place::Migration(..)));
    assert!(matches!(project.classify_file(Path::new("reports/monthly_customers.sql")), Place::Alone));
    assert_eq!(folder.before("db/migrations/20250401000000_new.sql").len(), 2);
}

#[test]
fn users_of_the_name_are_found() {
    let found = references(&shop(), "users", Some("name"));
    let lines: Vec<String> = found
        .references
        .iter()
        .map(|it| format!("{}:{}:{} {} {}", it.path, it.line, it.column, it.kind.id(), it.certainty.id()))
        .collect();
    expect![[r#"
        reports/monthly_customers.sql:2:10 read certain
        reports/monthly_customers.sql:6:18 read certain
        src/mail.ts:6:43 read likely
        src/mail.ts:7:25 read likely
        src/orders.ts:22:31 read certain
        src/users.ts:6:3 schema likely
        src/users.ts:10:49 text possible
        src/users.ts:12:32 write certain
        src/users.ts:14:27 read certain
        src/users.ts:21:55 read certain
        src/users.ts:25:46 text possible
        src/users.ts:26:33 write certain
        src/users.ts:31:24 read certain
        src/users.ts:32:20 read certain
        src/users.ts:32:57 read certain"#]]
    .assert_eq(&lines.join("\n"));
}

#[test]
fn its_signals_are_shown_with_evidence() {
    let project = shop();
    let signals = signals(&project);
    let lines: Vec<String> = signals
        .iter()
        .map(|it| {
            let places: Vec<String> =
                it.evidence.iter().map(|it| format!("{}:{}", it.path, it.line)).collect();
            format!("{}: {} [{}]", it.id, it.value.known().unwrap_or("unknown"), places.join(" "))
        })
        .collect();
    expect![[r#"
        engine: PostgreSQL 15 [docker-compose.yml:3 .github/workflows/ci.yml:8]
        datastores: PostgreSQL [.github/workflows/ci.yml:8]
        framework: dbmate [db/migrations:1]
        ci-runs-migrations: dbmate [.github/workflows/ci.yml:20]
        feature-flags: unknown []
        backups: unknown []
        monitoring: postgres_exporter [docker-compose.yml:10]
        application-monitoring: unknown []
        hosting: unknown []
        connection-pooler: unknown []
        replicas: unknown []
        tests-on-engine: a service in CI [.github/workflows/ci.yml:8]
        owner: unknown []"#]]
    .assert_eq(&lines.join("\n"));
    let questions = questions(&project.config.answers(), &signals);
    let open: Vec<&str> = open_questions(&questions).iter().map(|it| it.id()).collect();
    let none_that_waits = [
        "acceptable-loss",
        "critical-data",
        "compliance",
        "other-consumers",
        "write-rate",
        "availability",
        "quiet-hours",
    ];
    assert_eq!(open, none_that_waits);
}
