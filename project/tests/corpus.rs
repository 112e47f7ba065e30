//! Real repositories: every folder of migrations is found, with its framework, its engine and all its files.

use std::path::{Path, PathBuf};

use expect_test::{Expect, expect};
use lockkeeper_project::{Project, open};

fn corpus() -> Option<PathBuf> {
    let given = std::env::var_os("LOCKKEEPER_CORPUS").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    let corpus = given.unwrap_or(beside);
    if corpus.is_dir() {
        return Some(corpus);
    }
    println!("no corpus at {}: skipped; set LOCKKEEPER_CORPUS", corpus.display());
    None
}

#[track_caller]
fn check(name: &str, expected: Expect) {
    let Some(corpus) = corpus() else {
        return;
    };
    let project = open(&corpus.join(name)).expect("the corpus can be opened");
    expected.assert_eq(&summary(&project));
}

fn summary(project: &Project) -> String {
    let mut lines = Vec::new();
    for folder in &project.folders {
        let engine = folder.dialect.map(|it| it.id()).or(folder.foreign).unwrap_or("?");
        let problems = folder.all_problems().count();
        lines.push(format!(
            "{}: {} {engine} ({}), {} migrations, {problems} problems",
            folder.path,
            folder.framework.id,
            folder.dialect_source,
            folder.migrations.len(),
        ));
    }
    lines.extend(project.dumps.iter().map(|dump| format!("dump {} {:?}", dump.path, dump.dialect)));
    lines.extend(
        project.not_analysed.iter().map(|it| format!("not analysed {}: {} {}", it.path, it.files, it.what)),
    );
    lines.extend(project.problems.iter().map(|it| format!("problem {}: {}", it.path, it.message)));
    lines.join("\n")
}

#[test]
fn crates_io_is_diesel() {
    check(
        "crates.io",
        expect!["migrations: diesel postgres (the SQL: TIMESTAMPTZ), 281 migrations, 6 problems"],
    );
}

#[test]
fn hatchet_is_goose() {
    check(
        "hatchet",
        expect![[r#"
        cmd/hatchet-migrate/migrate/migrations: goose postgres (the SQL: TIMESTAMPTZ), 222 migrations, 0 problems
        dump sql/schema/v0.sql Some(Postgres)
        dump sql/schema/v1-core.sql Some(Postgres)
        dump sql/schema/v1-olap.sql Some(Postgres)"#]],
    );
}

#[test]
fn langfuse_is_prisma_beside_clickhouse() {
    check(
        "langfuse",
        expect![[r#"
            packages/shared/clickhouse/migrations/unclustered: golang-migrate ClickHouse (the folder's name clickhouse), 46 migrations, 0 problems
            packages/shared/prisma/migrations: prisma postgres (packages/shared/prisma/migrations/migration_lock.toml), 434 migrations, 0 problems
            not analysed packages/shared/clickhouse/migrations/unclustered: 46 ClickHouse (golang-migrate)"#]],
    );
}

#[test]
fn temporal_has_a_folder_per_version() {
    check(
        "temporal",
        expect![[r#"
            schema/mysql/v8/temporal/versioned: plain mysql (the folder's name mysql), 20 migrations, 0 problems
            schema/mysql/v8/visibility/versioned: plain mysql (the folder's name mysql), 15 migrations, 0 problems
            schema/postgresql/v12/temporal/versioned: plain postgres (the folder's name postgresql), 20 migrations, 0 problems
            schema/postgresql/v12/visibility/versioned: plain postgres (the folder's name postgresql), 10 migrations, 0 problems
            dump schema/mysql/v8/temporal/schema.sql Some(Mysql)
            dump schema/mysql/v8/visibility/schema.sql Some(Mysql)
            dump schema/postgresql/v12/temporal/schema.sql Some(Postgres)
            dump schema/postgresql/v12/visibility/schema.sql Some(Postgres)
            dump schema/sqlite/v3/temporal/schema.sql Some(Sqlite)
            dump schema/sqlite/v3/visibility/schema.sql Some(Sqlite)
            not analysed schema/mysql/v8/temporal/versioned: 20 MySQL (numbered SQL files)
            not analysed schema/mysql/v8/visibility/versioned: 15 MySQL (numbered SQL files)"#]],
    );
}

#[test]
fn harbor_is_golang_migrate() {
    check(
        "harbor",
        expect![
            "make/migrations/postgresql: golang-migrate postgres (the folder's name postgresql), 39 migrations, 0 problems"
        ],
    );
}

#[test]
fn uaa_is_flyway_for_three_engines() {
    check(
        "uaa",
        expect![[r#"
            server/src/main/resources/org/cloudfoundry/identity/uaa/db/hsqldb: flyway HSQLDB (the folder's name hsqldb), 88 migrations, 0 problems
            server/src/main/resources/org/cloudfoundry/identity/uaa/db/mysql: flyway mysql (the folder's name mysql), 88 migrations, 0 problems
            server/src/main/resources/org/cloudfoundry/identity/uaa/db/postgresql: flyway postgres (the folder's name postgresql), 89 migrations, 0 problems
            not analysed server/src/main/resources/org/cloudfoundry/identity/uaa/db/hsqldb: 88 HSQLDB (Flyway)
            not analysed server/src/main/resources/org/cloudfoundry/identity/uaa/db/mysql: 88 MySQL (Flyway)"#]],
    );
}

#[test]
fn homarr_is_drizzle_for_three_engines() {
    check(
        "homarr",
        expect![[r#"
            packages/db/migrations/mysql: drizzle mysql (the folder's name mysql), 44 migrations, 0 problems
            packages/db/migrations/postgresql: drizzle postgres (the folder's name postgresql), 10 migrations, 0 problems
            packages/db/migrations/sqlite: drizzle sqlite (the folder's name sqlite), 42 migrations, 0 problems
            not analysed packages/db/migrations/mysql: 44 MySQL (Drizzle)
            not analysed packages/db/migrations/sqlite: 42 SQLite (Drizzle)"#]],
    );
}

#[test]
fn fineract_is_liquibase_and_not_analysed() {
    check(
        "fineract",
        expect![[r#"
        not analysed fineract-branch/src/main/resources/db/changelog/tenant/module/branch: 1 Liquibase
        not analysed fineract-investor/src/main/resources/db/changelog/tenant/module/investor: 1 Liquibase
        not analysed fineract-investor/src/main/resources/db/changelog/tenant/module/investor/parts: 12 Liquibase
        not analysed fineract-loan/src/main/resources/db/changelog/tenant/module/loan: 1 Liquibase
        not analysed fineract-loan/src/main/resources/db/changelog/tenant/module/loan/parts: 22 Liquibase
        not analysed fineract-provider/src/main/resources/db/changelog: 1 Liquibase
        not analysed fineract-provider/src/main/resources/db/changelog/tenant: 3 Liquibase
        not analysed fineract-provider/src/main/resources/db/changelog/tenant-store: 2 Liquibase
        not analysed fineract-provider/src/main/resources/db/changelog/tenant-store/parts: 10 Liquibase
        not analysed fineract-provider/src/main/resources/db/changelog/tenant-store/upgrades: 1 Liquibase
        not analysed fineract-provider/src/main/resources/db/changelog/tenant/parts: 125 Liquibase
        not analysed fineract-provider/src/main/resources/db/changelog/tenant/upgrades: 2 Liquibase
        not analysed fineract-savings/src/main/resources/db/changelog/tenant/module/savings/parts: 1 Liquibase"#]],
    );
}

#[test]
fn uptime_kuma_has_patches_without_numbers() {
    check(
        "uptime-kuma",
        expect![[r#"
            db/old_migrations: plain sqlite (the SQL: PRAGMA), 54 migrations, 44 problems
            not analysed db/old_migrations: 54 SQLite (numbered SQL files)"#]],
    );
}

#[test]
fn hexpm_is_one_dump() {
    check("hexpm", expect!["dump priv/repo/structure.sql Some(Postgres)"]);
}
