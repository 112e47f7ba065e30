//! The words that show a signal, and the files in which they count.

use crate::files::name;

/// A signal that words in configuration files show.
pub(super) struct Facts {
    pub id: &'static str,
    /// Each word with the name of what it shows.
    pub words: &'static [(&'static str, &'static str)],
    pub found_in: Where,
    /// What it means when it is there.
    pub if_known: &'static str,
    /// What it means that nothing was found.
    pub if_unknown: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Where {
    Ci,
    Anywhere,
}

pub(super) static SIGNALS: &[Facts] = &[
    Facts {
        id: "ci-runs-migrations",
        words: &[
            ("goose up", "goose"),
            ("dbmate up", "dbmate"),
            ("dbmate migrate", "dbmate"),
            ("dbmate --wait up", "dbmate"),
            ("sqlx migrate run", "SQLx"),
            ("diesel migration run", "Diesel"),
            ("flyway migrate", "Flyway"),
            ("flywayMigrate", "Flyway"),
            ("prisma migrate deploy", "Prisma"),
            ("drizzle-kit migrate", "Drizzle"),
            ("db:migrate", "a db:migrate task"),
            ("alembic upgrade", "Alembic"),
            ("manage.py migrate", "Django"),
            ("migrate -path", "golang-migrate"),
            ("migrate up", "a migrate command"),
            ("make migrate", "a make target"),
            ("ecto.migrate", "Ecto"),
        ],
        found_in: Where::Ci,
        if_known: "a migration that cannot run fails before it is merged",
        if_unknown: "nothing shows that migrations are tried before they are deployed",
    },
    Facts {
        id: "feature-flags",
        words: &[
            ("launchdarkly", "LaunchDarkly"),
            ("unleash-client", "Unleash"),
            ("unleash", "Unleash"),
            ("flipper", "Flipper"),
            ("growthbook", "GrowthBook"),
            ("openfeature", "OpenFeature"),
            ("flagsmith", "Flagsmith"),
            ("configcat", "ConfigCat"),
            ("django-waffle", "Waffle"),
            ("gofeatureflag", "GO Feature Flag"),
            ("FEATURE_", "environment variables"),
        ],
        found_in: Where::Anywhere,
        if_known: "reads can move to the new shape step by step and back without a release",
        if_unknown: "moving reads takes a release, and so does moving back",
    },
    Facts {
        id: "backups",
        words: &[
            ("pgbackrest", "pgBackRest"),
            ("wal-g", "WAL-G"),
            ("barman", "Barman"),
            ("pg_dump", "pg_dump"),
            ("pg_basebackup", "pg_basebackup"),
            ("backup_retention_period", "RDS backups"),
            ("point_in_time_recovery_enabled", "Cloud SQL point in time recovery"),
            ("xtrabackup", "XtraBackup"),
            ("mysqldump", "mysqldump"),
            ("litestream", "Litestream"),
        ],
        found_in: Where::Anywhere,
        if_known: "backups are configured; that one was restored and checked is still a question",
        if_unknown: "no backup is known: steps that lose data weigh more",
    },
    Facts {
        id: "monitoring",
        words: &[
            ("postgres-exporter", "postgres_exporter"),
            ("postgres_exporter", "postgres_exporter"),
            ("sql_exporter", "sql_exporter"),
            ("mysqld-exporter", "mysqld_exporter"),
            ("pganalyze", "pganalyze"),
            ("pgwatch", "pgwatch"),
            ("pghero", "PgHero"),
            ("pgmonitor", "pgMonitor"),
            ("postgresqlreceiver", "OpenTelemetry's receiver for PostgreSQL"),
            ("performance_insights_enabled", "RDS Performance Insights"),
            ("monitoring_interval", "RDS enhanced monitoring"),
            ("insights_config", "Cloud SQL query insights"),
            ("pg_stat_statements", "pg_stat_statements"),
        ],
        found_in: Where::Anywhere,
        if_known: "locks, lag and slow statements are seen where thresholds are set",
        if_unknown: "nothing is known to watch the database itself: somebody has to look while steps run",
    },
    Facts {
        id: "application-monitoring",
        words: &[
            ("prometheus", "Prometheus"),
            ("prom-client", "Prometheus"),
            ("datadog", "Datadog"),
            ("dd-trace", "Datadog"),
            ("sentry", "Sentry"),
            ("grafana", "Grafana"),
            ("newrelic", "New Relic"),
            ("opentelemetry", "OpenTelemetry"),
            ("honeycomb", "Honeycomb"),
        ],
        found_in: Where::Anywhere,
        if_known: "errors and latencies of the application are measured: thresholds for going back can be numbers",
        if_unknown: "nobody may notice that a threshold is crossed: reversibility weighs more",
    },
    Facts {
        id: "hosting",
        words: &[
            ("aws_db_instance", "Amazon RDS"),
            ("aws_rds_cluster", "Amazon Aurora"),
            ("AWS::RDS::DBInstance", "Amazon RDS"),
            ("AWS::RDS::DBCluster", "Amazon Aurora"),
            ("google_sql_database_instance", "Google Cloud SQL"),
            ("google_alloydb_cluster", "Google AlloyDB"),
            ("azurerm_postgresql_flexible_server", "Azure Database"),
            ("azurerm_mysql_flexible_server", "Azure Database"),
            ("digitalocean_database_cluster", "DigitalOcean"),
            ("supabase start", "Supabase"),
            ("supabase db", "Supabase"),
            ("neonctl", "Neon"),
            ("heroku-postgresql", "Heroku Postgres"),
            ("fly postgres", "Fly Postgres"),
            ("postgresql.cnpg.io", "CloudNativePG on Kubernetes"),
            ("acid.zalan.do", "Zalando's operator on Kubernetes"),
            ("postgres-operator.crunchydata.com", "Crunchy's operator on Kubernetes"),
            ("bitnami/postgresql", "a chart of PostgreSQL on Kubernetes"),
        ],
        found_in: Where::Anywhere,
        if_known: "decides which rights and settings there are: a managed service has no superuser, and its own backups",
        if_unknown: "whether it is a managed service is not known: rights and backups are to be asked about",
    },
    Facts {
        id: "connection-pooler",
        words: &[
            ("pgbouncer", "PgBouncer"),
            ("pgcat", "PgCat"),
            ("odyssey", "Odyssey"),
            ("supavisor", "Supavisor"),
            ("proxysql", "ProxySQL"),
            ("rds_proxy", "RDS Proxy"),
            ("aws_db_proxy", "RDS Proxy"),
        ],
        found_in: Where::Anywhere,
        if_known: "session settings and advisory locks need a direct connection, past the pooler",
        if_unknown: "no pooler is known; if there is one, migrate past it",
    },
    Facts {
        id: "replicas",
        words: &[
            ("replicate_source_db", "RDS read replica"),
            ("aws_rds_cluster_instance", "Aurora readers"),
            ("hot_standby", "a standby"),
            ("POSTGRESQL_REPLICATION_MODE", "a standby"),
            ("read_replica", "read replicas"),
            ("READ_REPLICA", "read replicas"),
            ("REPLICA_URL", "read replicas"),
            ("patroni", "Patroni"),
            ("repmgr", "repmgr"),
        ],
        found_in: Where::Anywhere,
        if_known: "backfills must watch the replicas' lag, and readers there see changes late",
        if_unknown: "no replica is known; if there is one, backfills must watch its lag",
    },
];

/// Libraries that start the engine for a test.
pub(super) static TEST_LIBRARIES: Facts = Facts {
    id: "tests-on-engine",
    words: &[
        ("testcontainers", "Testcontainers"),
        ("dockertest", "dockertest"),
        ("embedded-postgres", "embedded PostgreSQL"),
        ("pgtestdb", "pgtestdb"),
        ("pytest-postgresql", "pytest-postgresql"),
        ("testing.postgresql", "testing.postgresql"),
        ("pg_tmp", "pg_tmp"),
        ("pgtemp", "pgtemp"),
        ("pg-mem", "pg-mem, which is no PostgreSQL"),
        ("@databases/pg-test", "@databases/pg-test"),
        ("otj-pg-embedded", "embedded PostgreSQL"),
        ("postgresql_embedded", "embedded PostgreSQL"),
    ],
    found_in: Where::Anywhere,
    if_known: "",
    if_unknown: "",
};

/// Whether the file configures continuous integration.
pub(super) fn is_ci(path: &str) -> bool {
    let folders = [".github/workflows/", ".circleci/", ".buildkite/"];
    folders.iter().any(|it| path.starts_with(it))
        || matches!(name(path), ".gitlab-ci.yml" | ".travis.yml" | ".drone.yml" | "Jenkinsfile")
}

/// Whether the file configures something, or lists what a program is made of.
pub(super) fn is_configuration(path: &str) -> bool {
    let name = name(path);
    let locks = [
        "package-lock.json",
        "Cargo.lock",
        "go.sum",
        "pnpm-lock.yaml",
        "yarn.lock",
        "poetry.lock",
        "Gemfile.lock",
    ];
    let names = [
        "package.json",
        "go.mod",
        "Cargo.toml",
        "Gemfile",
        "pyproject.toml",
        "pom.xml",
        "composer.json",
        "mix.exs",
        "Makefile",
        "Procfile",
        "justfile",
        "Jenkinsfile",
        "build.gradle",
        "build.gradle.kts",
    ];
    let ends = [".yml", ".yaml", ".tf", ".ini", ".conf", ".cnf", ".csproj", ".cron", ".sh"];
    let starts = ["Dockerfile", "requirements", ".env.", "crontab"];
    !locks.contains(&name)
        && !describes(name)
        && (is_ci(path)
            || names.contains(&name)
            || ends.iter().any(|it| name.ends_with(it))
            || starts.iter().any(|it| name.starts_with(it)))
}

/// Whether the file describes an interface, a site or people: words there configure nothing.
fn describes(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let words = [
        "openapi",
        "swagger",
        "asyncapi",
        "maintainers",
        "authors",
        "contributors",
        "adopters",
        "funding",
        "mkdocs",
        "dependabot",
        "codecov",
    ];
    words.iter().any(|it| lower.contains(it))
}
