//! Migrations in code or in formats of their own: how they are recognised, and how their framework gives out the SQL.

use std::io::Read;
use std::path::Path;

use crate::files::{name, parent};

/// A form of migrations that is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Form {
    /// What it is called.
    pub title: &'static str,
    /// How its SQL is got and checked.
    pub way_out: &'static str,
}

const RAILS: Form = Form {
    title: "Rails",
    way_out: "on a scratch database run `bin/rails runner 'ActiveRecord::Migration.verbose = false; \
              ActiveSupport::Notifications.subscribe(\"sql.active_record\") { |*, it| puts it[:sql] + \";\" unless it[:name] == \"SCHEMA\" }; \
              ActiveRecord::Tasks::DatabaseTasks.migrate' | lockkeeper check -`",
};
const DJANGO: Form =
    Form { title: "Django", way_out: "run `python manage.py sqlmigrate APP NUMBER | lockkeeper check -`" };
const ALEMBIC: Form =
    Form { title: "Alembic", way_out: "run `alembic upgrade FROM:TO --sql | lockkeeper check -`" };
const ECTO: Form = Form {
    title: "Ecto",
    way_out: "run `mix ecto.migrate --log-migrations-sql` on a scratch database, and check the SQL that it prints",
};
const LARAVEL: Form = Form {
    title: "Laravel",
    way_out: "run `php artisan migrate --pretend`, and check the SQL that it prints",
};
const DOCTRINE: Form = Form {
    title: "Doctrine",
    way_out: "run `php bin/console doctrine:migrations:migrate --write-sql=pending.sql`, then `lockkeeper check pending.sql`",
};
const KNEX: Form = Form {
    title: "Knex",
    way_out: "on a scratch database run `DEBUG=knex:query npx knex migrate:up 2>&1 | \
              sed -n 's/.*knex:query \\(.*\\) trx[0-9]*$/\\1;/p' | lockkeeper check -`",
};
const TYPEORM: Form = Form {
    title: "TypeORM",
    way_out: "with `logging: [\"query\"]` in the data source, on a scratch database, run `npx typeorm migration:run -d DATA_SOURCE | \
              sed -n 's/ -- PARAMETERS.*//; s/^query: \\(.*\\)/\\1;/p' | lockkeeper check -`",
};
const SEQUELIZE: Form = Form {
    title: "Sequelize",
    way_out: "with `logging: console.log` in the configuration, on a scratch database, run `npx sequelize-cli db:migrate | \
              sed -n 's/^Executing ([^)]*): \\(.*\\)/\\1;/p' | lockkeeper check -`",
};
const NODE_PG_MIGRATE: Form = Form {
    title: "node-pg-migrate",
    way_out: "run `npx node-pg-migrate up --dry-run | sed '/^dry run$/d; /^>/d; /^###/d; /^Migrations complete/d' | \
              lockkeeper check -`",
};
const SCRIPT: Form = Form {
    title: "migrations in JavaScript",
    way_out: "print the SQL that they run and pipe it into `lockkeeper check -`",
};
const ENTITY_FRAMEWORK: Form = Form {
    title: "Entity Framework",
    way_out: "run `dotnet ef migrations script FROM TO | lockkeeper check -`",
};
const LIQUIBASE: Form =
    Form { title: "Liquibase", way_out: "run `liquibase update-sql | lockkeeper check -`" };

const NAMED_FOR_ENGINE: Form =
    Form { title: "SQL named for an engine", way_out: "name them in the call: `lockkeeper check FILE...`" };

/// What stands in a migration in JavaScript, and whose it is.
const SCRIPTS: &[(&str, Form)] = &[
    ("queryInterface", SEQUELIZE),
    ("sequelize", SEQUELIZE),
    ("MigrationInterface", TYPEORM),
    ("queryRunner", TYPEORM),
    ("pgm", NODE_PG_MIGRATE),
    ("knex", KNEX),
];

/// How much of a file is read to see whose it is.
const START: u64 = 8_000;

/// The form of a file, if it is a migration that is not read.
pub(super) fn form(root: &Path, path: &str) -> Option<Form> {
    form_of(path, || start(root, path))
}

fn form_of(path: &str, start: impl FnOnce() -> String) -> Option<Form> {
    let (file, folder) = (name(path), parent(path));
    let extension = file.rsplit('.').next().unwrap_or("");
    let numbered = file.starts_with(|it: char| it.is_ascii_digit());
    let below =
        |it: &str| folder == it || folder.ends_with(&format!("/{it}")) || folder.contains(&format!("{it}/"));
    match extension {
        "xml" | "yaml" | "yml" | "json" if is_named_changelog(path) => {
            start().contains("databaseChangeLog").then_some(LIQUIBASE)
        }
        "postgres" | "postgresql" | "pgsql" | "pg" if file.contains(".sql.") => Some(NAMED_FOR_ENGINE),
        "rb" if numbered && is_of_rails(folder) => Some(RAILS),
        "py" if numbered && name(folder) == "migrations" => Some(DJANGO),
        "py" if name(folder) == "versions" && folder.contains('/') => Some(ALEMBIC),
        "exs" if numbered && below("repo/migrations") => Some(ECTO),
        "php" if numbered && below("migrations") => Some(LARAVEL),
        "php" if file.starts_with("Version") && below("migrations") => Some(DOCTRINE),
        "cs" if numbered && name(folder) == "Migrations" && !file.ends_with(".Designer.cs") => {
            Some(ENTITY_FRAMEWORK)
        }
        "js" | "ts" | "mjs" | "cjs" if numbered && name(folder).contains("migration") => {
            let text = start();
            let known = SCRIPTS.iter().find(|(word, _)| text.contains(word));
            Some(known.map_or(SCRIPT, |(_, form)| *form))
        }
        _ => None,
    }
}

/// `db/migrate`, and `db/animals_migrate` where there are several databases.
fn is_of_rails(folder: &str) -> bool {
    let parts: Vec<&str> = folder.split('/').collect();
    parts.windows(2).any(|pair| pair[0] == "db" && (pair[1] == "migrate" || pair[1].ends_with("_migrate")))
}

fn is_named_changelog(path: &str) -> bool {
    let folder = parent(path);
    folder.split('/').any(|part| part == "changelog" || part == "changelogs")
        || name(path).contains("changelog")
}

fn start(root: &Path, path: &str) -> String {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(root.join(path));
    let read = file.and_then(|file| file.take(START).read_to_end(&mut bytes));
    read.map_or_else(|_| String::new(), |_| String::from_utf8_lossy(&bytes).into_owned())
}

/// Whether a file's name may be one of SQL: `a.sql`, `a.sql.postgres`, `a.psql`, or no extension at all.
pub(super) fn may_be_sql(path: &str) -> bool {
    let mut extensions = name(path).split('.').skip(1).peekable();
    let known = ["sql", "psql", "pgsql", "plpgsql", "ddl"];
    extensions.peek().is_none() || extensions.any(|it| known.contains(&it.to_ascii_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, text: &str, expected: Option<&str>) {
        assert_eq!(form_of(path, || text.to_owned()).map(|it| it.title), expected, "{path}");
    }

    #[test]
    fn migrations_in_code_are_told_by_place_and_name() {
        check("db/migrate/20240101000000_a.rb", "", Some("Rails"));
        check("db/animals_migrate/20240101000000_a.rb", "", Some("Rails"));
        check("shop/migrations/0001_initial.py", "", Some("Django"));
        check("db/1_a.sql.postgres", "", Some("SQL named for an engine"));
        check("shop/migrations/__init__.py", "", None);
        check("alembic/versions/ab12_a.py", "", Some("Alembic"));
        check("priv/repo/migrations/20240101000000_a.exs", "", Some("Ecto"));
        check("database/migrations/2024_01_01_000000_a.php", "", Some("Laravel"));
        check("migrations/Version20240101000000.php", "", Some("Doctrine"));
        check("Shop/Migrations/20240101000000_A.cs", "", Some("Entity Framework"));
    }

    #[test]
    fn migrations_in_javascript_are_told_by_what_they_use() {
        check("migrations/20240101_a.js", "exports.up = (knex) => knex.schema", Some("Knex"));
        check("migrations/1700000000000-a.ts", "class A implements MigrationInterface", Some("TypeORM"));
        check("migrations/20240101-a.js", "up: (queryInterface, Sequelize) => {}", Some("Sequelize"));
        check("migrations/1700000000000_a.js", "exports.up = (pgm) => {}", Some("node-pg-migrate"));
        check("migrations/1_a.js", "", Some("migrations in JavaScript"));
    }

    #[test]
    fn a_change_log_is_liquibases_only_if_it_says_so() {
        check("db/changelog/a.yaml", "databaseChangeLog:\n- changeSet:", Some("Liquibase"));
        check("docs/changelog.yaml", "versions:\n- 1.0", None);
    }

    #[test]
    fn names_of_sql_are_told_from_names_of_code() {
        for sql in ["a.sql", "db/a.SQL", "a.sql.postgres", "a.up.sql", "a.pgsql", "deploy/users"] {
            assert!(may_be_sql(sql), "{sql}");
        }
        for code in ["a.rb", "a.py", "package.json", "a.exs", "a.d.ts"] {
            assert!(!may_be_sql(code), "{code}");
        }
    }
}
