//! The facts, one row per framework. Each row names where its facts were read.

use super::{Framework, Halves, Layout, Memory, OptOut, Order, Transaction};

/// All frameworks for SQL files, from the most telling signs to the least: recognition tries them in this order.
pub static FRAMEWORKS: &[Framework] = &[
    // README of pressly/goose ("SQL Migrations", "NO TRANSACTION"), internal/sqlparser/parser.go (annotations in any
    // case; `StatementBegin` needed where a statement holds `;`), v3.
    Framework {
        id: "goose",
        title: "goose",
        manual: "https://pressly.github.io/goose/documentation/annotations/",
        recognised_by: "SQL files with `-- +goose Up`",
        layout: Layout::Files,
        order: Order::Number,
        halves: Halves::Markers { prefix: "+goose" },
        transaction: Transaction::Wrapped,
        opt_out: OptOut::Marker("NO TRANSACTION"),
        outside: Transaction::Autocommit,
        leaves_for: &[],
        memory: Memory::Each {
            table: "goose_db_version",
            query: "SELECT version_id::text FROM (SELECT DISTINCT ON (version_id) version_id, is_applied \
                    FROM goose_db_version ORDER BY version_id, id DESC) AS latest WHERE is_applied AND version_id > 0",
        },
        cannot: &["`NO TRANSACTION` holds for up and down of a file together"],
    },
    // README of amacneil/dbmate ("Migration Options"); pkg/dbmate/migration.go (one Exec per section).
    Framework {
        id: "dbmate",
        title: "dbmate",
        manual: "https://github.com/amacneil/dbmate#migration-options",
        recognised_by: "SQL files with `-- migrate:up`, usually in db/migrations",
        layout: Layout::Files,
        order: Order::Text,
        halves: Halves::Markers { prefix: "migrate:" },
        transaction: Transaction::Wrapped,
        opt_out: OptOut::Option("transaction:false"),
        outside: Transaction::Implicit,
        leaves_for: &[],
        memory: Memory::Each { table: "schema_migrations", query: "SELECT version FROM schema_migrations" },
        cannot: &[
            "a section with transaction:false is still sent as one string: several statements are one implicit transaction",
        ],
    },
    // docs.prisma.io "Development and production" and "Customizing migrations"; schema-engine sends migration.sql as
    // one simple query. Down files: "Generating down migrations" (run by hand with `prisma db execute`).
    Framework {
        id: "prisma",
        title: "Prisma",
        manual: "https://www.prisma.io/docs/orm/prisma-migrate/workflows/customizing-migrations",
        recognised_by: "folders with migration.sql, beside migration_lock.toml or schema.prisma",
        layout: Layout::Folders { up: "migration.sql", down: "down.sql" },
        order: Order::Text,
        halves: Halves::Siblings,
        transaction: Transaction::Implicit,
        opt_out: OptOut::Never,
        outside: Transaction::Implicit,
        leaves_for: &[],
        memory: Memory::Each {
            table: "_prisma_migrations",
            query: "SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL",
        },
        cannot: &[
            "there is no opt-out: several statements of a file are one implicit transaction",
            "down.sql is never run by `prisma migrate`: run it with `prisma db execute --file`",
        ],
    },
    // diesel.rs guide "Getting Started" and diesel_migrations::FileBasedMigrations (metadata.toml, run_in_transaction);
    // the file goes through batch_execute: one simple query.
    Framework {
        id: "diesel",
        title: "Diesel",
        manual: "https://docs.rs/diesel_migrations/latest/diesel_migrations/struct.FileBasedMigrations.html",
        recognised_by: "folders with up.sql, beside diesel.toml",
        layout: Layout::Folders { up: "up.sql", down: "down.sql" },
        order: Order::Text,
        halves: Halves::Siblings,
        transaction: Transaction::Wrapped,
        opt_out: OptOut::Sidecar { file: "metadata.toml", setting: "run_in_transaction" },
        outside: Transaction::Implicit,
        leaves_for: &[],
        memory: Memory::Each {
            table: "__diesel_schema_migrations",
            query: "SELECT version FROM __diesel_schema_migrations",
        },
        cannot: &[
            "a file with run_in_transaction = false is still sent as one string: several statements are one implicit transaction",
            "run_in_transaction holds for up and down together",
        ],
    },
    // documentation.red-gate.com "Versioned migrations", "Script configuration files", "mixed"; the statements that are
    // not transactional on PostgreSQL are in flyway-database-postgresql PostgreSQLParser.
    Framework {
        id: "flyway",
        title: "Flyway",
        manual: "https://documentation.red-gate.com/fd/script-configuration-files-277578941.html",
        recognised_by: "files named V1__name.sql, or flyway.conf or flyway.toml",
        layout: Layout::Files,
        order: Order::Dotted,
        halves: Halves::Letters,
        transaction: Transaction::Wrapped,
        opt_out: OptOut::Sidecar { file: ".conf", setting: "executeInTransaction" },
        outside: Transaction::Autocommit,
        leaves_for: &[
            "CREATE INDEX CONCURRENTLY",
            "CREATE UNIQUE INDEX CONCURRENTLY",
            "DROP INDEX CONCURRENTLY",
            "REINDEX",
            "VACUUM",
            "DISCARD ALL",
            "ALTER SYSTEM",
            "CREATE DATABASE",
            "DROP DATABASE",
            "CREATE TABLESPACE",
            "DROP TABLESPACE",
            "CREATE SUBSCRIPTION",
            "DROP SUBSCRIPTION",
            "ALTER DATABASE",
        ],
        memory: Memory::Each {
            table: "flyway_schema_history",
            query: "SELECT version FROM (SELECT DISTINCT ON (version) version, type, success FROM flyway_schema_history \
                    WHERE version IS NOT NULL ORDER BY version, installed_rank DESC) AS latest \
                    WHERE success AND type NOT LIKE 'UNDO%' AND type <> 'DELETE'",
        },
        cannot: &[
            "transactional and other statements may not be mixed in a file unless mixed=true",
            "undo files (U) need a paid edition",
            "CONCURRENTLY waits for Flyway's own lock unless flyway.postgresql.transactional.lock=false",
        ],
    },
    // README and MIGRATIONS.md of golang-migrate/migrate; database/postgres/postgres.go: the file is one Exec unless
    // x-multi-statement=true.
    Framework {
        id: "golang-migrate",
        title: "golang-migrate",
        manual: "https://github.com/golang-migrate/migrate/blob/master/MIGRATIONS.md",
        recognised_by: "files named 1_name.up.sql and 1_name.down.sql",
        layout: Layout::Files,
        order: Order::Number,
        halves: Halves::Suffixes,
        transaction: Transaction::Implicit,
        opt_out: OptOut::Never,
        outside: Transaction::Implicit,
        leaves_for: &[],
        memory: Memory::Latest {
            table: "schema_migrations",
            query: "SELECT version::text FROM schema_migrations",
        },
        cannot: &["there is no opt-out: several statements of a file are one implicit transaction"],
    },
    // docs.rs/sqlx macro.migrate and sqlx-core/src/migrate/source.rs (`-- no-transaction` must be the first bytes; with
    // it the file is one simple query).
    Framework {
        id: "sqlx",
        title: "SQLx",
        manual: "https://docs.rs/sqlx/latest/sqlx/macro.migrate.html",
        recognised_by: "a migrations folder of numbered SQL files in a project whose Cargo.toml names sqlx",
        layout: Layout::Files,
        order: Order::Number,
        halves: Halves::Suffixes,
        transaction: Transaction::Wrapped,
        opt_out: OptOut::FirstLine("-- no-transaction"),
        outside: Transaction::Implicit,
        leaves_for: &[],
        memory: Memory::Each {
            table: "_sqlx_migrations",
            query: "SELECT version::text FROM _sqlx_migrations WHERE success",
        },
        cannot: &[
            "a file with `-- no-transaction` is still sent as one string: several statements are one implicit transaction",
            "simple and reversible (.up.sql, .down.sql) migrations do not mix",
        ],
    },
    // orm.drizzle.team "drizzle-kit migrate"; drizzle-orm pg-core/dialect.ts: all pending files run in one transaction.
    Framework {
        id: "drizzle",
        title: "Drizzle",
        manual: "https://orm.drizzle.team/docs/drizzle-kit-migrate",
        recognised_by: "numbered SQL files beside meta/_journal.json",
        layout: Layout::Files,
        order: Order::Number,
        halves: Halves::UpOnly,
        transaction: Transaction::Wrapped,
        opt_out: OptOut::Never,
        outside: Transaction::Wrapped,
        leaves_for: &[],
        memory: Memory::Elsewhere,
        cannot: &["all pending files run in one transaction, which none can leave", "there is no down"],
    },
    // rubenv/sql-migrate v1: README ("Usage", "notransaction") and sqlparse/sqlparse.go (a statement ends at a line that ends
    // with `;`); migrate.go orders by the number at the start of the name, and runs each statement by itself.
    Framework {
        id: "sql-migrate",
        title: "sql-migrate",
        manual: "https://github.com/rubenv/sql-migrate#writing-migrations",
        recognised_by: "SQL files with `-- +migrate Up`",
        layout: Layout::Files,
        order: Order::Number,
        halves: Halves::Markers { prefix: "+migrate" },
        transaction: Transaction::Wrapped,
        opt_out: OptOut::Option("notransaction"),
        outside: Transaction::Autocommit,
        leaves_for: &[],
        memory: Memory::Each {
            table: "gorp_migrations",
            query: "SELECT substring(id FROM '^[0-9]+') FROM gorp_migrations WHERE id ~ '^[0-9]'",
        },
        cannot: &[],
    },
    // node-pg-migrate 8: sqlMigration.ts (the markers; all of a file without any), migration.ts (order by the number, the
    // transaction), bin (single-transaction is on by default). `pgm.noTransaction` needs a migration in JavaScript.
    Framework {
        id: "node-pg-migrate",
        title: "node-pg-migrate",
        manual: "https://salsita.github.io/node-pg-migrate/migrations/",
        recognised_by: "SQL files with `-- Up Migration`",
        layout: Layout::Files,
        order: Order::Number,
        halves: Halves::Markers { prefix: "" },
        transaction: Transaction::Wrapped,
        opt_out: OptOut::Never,
        outside: Transaction::Wrapped,
        leaves_for: &[],
        memory: Memory::Each {
            table: "pgmigrations",
            query: "SELECT substring(name FROM '^[0-9]+') FROM pgmigrations",
        },
        cannot: &[
            "all pending files run in one transaction unless --no-single-transaction is given; a SQL file can leave neither",
        ],
    },
    // docs.liquibase.com "SQL" (changelog formats) and FormattedSqlChangeLogParser.java: each change set is a transaction of
    // its own, its statements are sent one by one. Tried with 4.28: files that we write, forwards and back.
    Framework {
        id: "liquibase",
        title: "Liquibase (formatted SQL)",
        manual: "https://docs.liquibase.com/concepts/changelogs/sql-format.html",
        recognised_by: "SQL files that start with `--liquibase formatted sql`",
        layout: Layout::Files,
        order: Order::Text,
        halves: Halves::Changesets,
        transaction: Transaction::Wrapped,
        opt_out: OptOut::Option("runInTransaction:false"),
        outside: Transaction::Autocommit,
        leaves_for: &[],
        memory: Memory::Elsewhere,
        cannot: &[
            "files are taken in the order of their names; another order in the root changelog is not read",
            "a new file must be named in the root changelog unless that includes the whole folder",
            "what `--rollback` comments do is not analysed",
            "a change set is cut at every `;`, also in the bodies of routines, unless it says splitStatements:false",
        ],
    },
    // supabase.com "Database migrations"; supabase/cli pkg/migration/file.go (the statements of a file and the entry in the
    // history go to the server as one batch, which is one implicit transaction).
    Framework {
        id: "supabase",
        title: "Supabase",
        manual: "https://supabase.com/docs/guides/deployment/database-migrations",
        recognised_by: "numbered SQL files in supabase/migrations",
        layout: Layout::Files,
        order: Order::Text,
        halves: Halves::UpOnly,
        transaction: Transaction::Implicit,
        opt_out: OptOut::Never,
        outside: Transaction::Implicit,
        leaves_for: &[],
        memory: Memory::Each {
            table: "supabase_migrations.schema_migrations",
            query: "SELECT version FROM supabase_migrations.schema_migrations",
        },
        cannot: &[
            "there is no opt-out: several statements of a file are one implicit transaction",
            "there is no down",
        ],
    },
    // atlasgo.io "Migration directory", "Transaction configuration" (file is the default mode); sql/migrate/dir.go (order by
    // name; directives are the comments at the start that an empty line divides from the statements).
    Framework {
        id: "atlas",
        title: "Atlas",
        manual: "https://atlasgo.io/versioned/apply#transaction-configuration",
        recognised_by: "SQL files beside atlas.sum",
        layout: Layout::Files,
        order: Order::Text,
        halves: Halves::UpOnly,
        transaction: Transaction::Wrapped,
        opt_out: OptOut::Header { comment: "-- atlas:txmode none", apart: true },
        outside: Transaction::Autocommit,
        leaves_for: &[],
        memory: Memory::Each {
            table: "atlas_schema_revisions.atlas_schema_revisions",
            query: "SELECT version FROM atlas_schema_revisions.atlas_schema_revisions WHERE applied = total",
        },
        cannot: &[
            "atlas.sum must be made anew when files change: run `atlas migrate hash`",
            "there is no down: Atlas computes it",
        ],
    },
    // rust-db/refinery 0.9: refinery_core/src/util.rs (V and U with a number, U is applied out of order), traits/sync.rs and
    // drivers (one transaction per migration, sent as one string).
    Framework {
        id: "refinery",
        title: "refinery",
        manual: "https://docs.rs/refinery/latest/refinery/",
        recognised_by: "files named V1__name.sql in a project whose Cargo.toml names refinery",
        layout: Layout::Files,
        order: Order::Number,
        halves: Halves::Letters,
        transaction: Transaction::Wrapped,
        opt_out: OptOut::Never,
        outside: Transaction::Wrapped,
        leaves_for: &[],
        memory: Memory::Each {
            table: "refinery_schema_history",
            query: "SELECT version::text FROM refinery_schema_history",
        },
        cannot: &["every migration runs in a transaction, which none can leave", "there is no down"],
    },
    // README of rickbergfalk/postgrator 8; postgrator.js (names), lib/Client.js (a file is one query).
    Framework {
        id: "postgrator",
        title: "postgrator",
        manual: "https://github.com/rickbergfalk/postgrator#usage",
        recognised_by: "files named 001.do.name.sql and 001.undo.name.sql",
        layout: Layout::Files,
        order: Order::Number,
        halves: Halves::Actions,
        transaction: Transaction::Implicit,
        opt_out: OptOut::Never,
        outside: Transaction::Implicit,
        leaves_for: &[],
        memory: Memory::Latest {
            table: "schemaversion",
            query: "SELECT version::text FROM schemaversion ORDER BY version DESC LIMIT 1",
        },
        cannot: &["there is no opt-out: several statements of a file are one implicit transaction"],
    },
    // README of graphile/migrate 1.4; migration.js (headers, BEGIN and COMMIT around the body), header.js (`--! no-transaction`).
    Framework {
        id: "graphile-migrate",
        title: "Graphile Migrate",
        manual: "https://github.com/graphile/migrate#readme",
        recognised_by: "numbered SQL files that start with `--! Previous:`, in migrations/committed",
        layout: Layout::Files,
        order: Order::Number,
        halves: Halves::UpOnly,
        transaction: Transaction::Wrapped,
        opt_out: OptOut::Header { comment: "--! no-transaction", apart: false },
        outside: Transaction::Implicit,
        leaves_for: &[],
        memory: Memory::Each {
            table: "graphile_migrate.migrations",
            query: "SELECT substring(filename FROM '^[0-9]+') FROM graphile_migrate.migrations",
        },
        cannot: &[
            "committed files carry a hash that only `graphile-migrate commit` writes",
            "a file with `--! no-transaction` is still sent as one string: several statements are one implicit transaction",
            "there is no down",
        ],
    },
    // sqitch.org/docs/manual/sqitchtutorial (deploy, revert, verify; each runs through psql and opens its own transaction) and
    // sqitchchanges (the order is that of sqitch.plan).
    Framework {
        id: "sqitch",
        title: "Sqitch",
        manual: "https://sqitch.org/docs/manual/sqitchtutorial/",
        recognised_by: "folders deploy and revert beside sqitch.plan",
        layout: Layout::Files,
        order: Order::Text,
        halves: Halves::Siblings,
        transaction: Transaction::Autocommit,
        opt_out: OptOut::Never,
        outside: Transaction::Autocommit,
        leaves_for: &[],
        memory: Memory::Elsewhere,
        cannot: &["a change is one transaction only where its script says BEGIN and COMMIT"],
    },
    // Numbered files that something of the project's own runs. We assume what `psql -f` does: each statement commits on
    // its own. It is the reading that warns about half-done files and never promises a rollback that may not exist.
    Framework {
        id: "plain",
        title: "numbered SQL files",
        manual: "https://www.postgresql.org/docs/current/app-psql.html",
        recognised_by: "a folder of SQL files, or of folders, whose names start with a number",
        layout: Layout::Files,
        order: Order::Dotted,
        halves: Halves::Suffixes,
        transaction: Transaction::Autocommit,
        opt_out: OptOut::Never,
        outside: Transaction::Autocommit,
        leaves_for: &[],
        memory: Memory::Elsewhere,
        cannot: &["what runs these files is not known: each statement is taken to commit on its own"],
    },
];
