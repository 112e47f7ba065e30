//! What the programs of migration frameworks do to the database that they are pointed at, as a table of their commands.
//!
//! Beside the frameworks of [`super::FRAMEWORKS`] it knows those whose migrations are code, and PostgreSQL's own programs: whoever
//! starts one of these commands changes a database past every plan, in whatever language its migrations are written.

/// A command of a framework's program that changes a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunnerCommand {
    /// The framework, in prose.
    pub framework: &'static str,
    /// The program and the words that follow it in this order, among others. A word that ends in `*` is the start of one.
    pub words: &'static [&'static str],
    /// Arguments with which nothing is changed.
    pub unless: &'static [&'static str],
    /// What becomes of the database.
    pub does: Does,
}

/// What a command does to a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    /// It changes the schema: migrations are applied, or a schema is pushed.
    Deploys,
    /// Rows or whole schemas are lost.
    Destroys,
}

const fn deploys(framework: &'static str, words: &'static [&'static str]) -> RunnerCommand {
    RunnerCommand { framework, words, unless: &[], does: Does::Deploys }
}

const fn destroys(framework: &'static str, words: &'static [&'static str]) -> RunnerCommand {
    RunnerCommand { framework, words, unless: &[], does: Does::Destroys }
}

impl RunnerCommand {
    const fn unless(self, unless: &'static [&'static str]) -> Self {
        Self { unless, ..self }
    }

    /// Whether a program with these arguments is this command.
    pub fn is(&self, program: &str, arguments: &[&str]) -> bool {
        let (first, rest) = self.words.split_first().expect("a command has a program");
        let mut arguments_left = arguments.iter();
        *first == program
            && rest.iter().all(|word| arguments_left.any(|it| fits(word, it)))
            && !self.unless.iter().any(|word| arguments.iter().any(|it| fits(word, it)))
    }

    /// The command as people write it.
    pub fn spelled(&self) -> String {
        self.words.iter().map(|word| word.trim_end_matches('*')).collect::<Vec<_>>().join(" ")
    }
}

fn fits(word: &str, argument: &str) -> bool {
    match word.strip_suffix('*') {
        Some(start) => argument.starts_with(start),
        None => argument == word,
    }
}

/// The command that this is. What loses data comes first.
pub fn runner_command(program: &str, arguments: &[&str]) -> Option<&'static RunnerCommand> {
    RUNNER_COMMANDS.iter().find(|command| command.is(program, arguments))
}

/// Whether a name is that of a program in the table.
pub fn is_runner(program: &str) -> bool {
    RUNNER_COMMANDS.iter().any(|command| command.words[0] == program)
}

/// By framework, what loses data before what does not. Read in the manuals that [`super::FRAMEWORKS`] names, and for the others in those
/// that stand above them.
pub static RUNNER_COMMANDS: &[RunnerCommand] = &[
    // prisma.io/docs/orm/reference/prisma-cli-reference
    destroys("Prisma", &["prisma", "migrate", "reset"]),
    destroys("Prisma", &["prisma", "db", "push", "--force-reset"]),
    destroys("Prisma", &["prisma", "db", "push", "--accept-data-loss"]),
    deploys("Prisma", &["prisma", "db", "push"]),
    deploys("Prisma", &["prisma", "migrate", "deploy"]),
    deploys("Prisma", &["prisma", "migrate", "dev"]),
    deploys("Prisma", &["prisma", "migrate", "resolve"]),
    deploys("Prisma", &["prisma", "db", "execute"]),
    // orm.drizzle.team/docs/kit-overview
    destroys("Drizzle", &["drizzle-kit", "push", "--force"]),
    destroys("Drizzle", &["drizzle-kit", "drop"]),
    deploys("Drizzle", &["drizzle-kit", "push*"]),
    deploys("Drizzle", &["drizzle-kit", "migrate"]),
    // guides.rubyonrails.org/active_record_migrations.html; the same tasks under both programs.
    destroys("Rails", &["rails", "db:drop*"]),
    destroys("Rails", &["rails", "db:reset*"]),
    destroys("Rails", &["rails", "db:purge*"]),
    destroys("Rails", &["rails", "db:migrate:reset*"]),
    destroys("Rails", &["rails", "db:schema:load*"]),
    destroys("Rails", &["rails", "db:structure:load*"]),
    destroys("Rails", &["rails", "db:truncate_all*"]),
    destroys("Rails", &["rails", "db:seed:replant*"]),
    destroys("Rails", &["rails", "db:setup*"]),
    destroys("Rails", &["rails", "db:rollback*"]),
    destroys("Rails", &["rails", "db:migrate:down*"]),
    destroys("Rails", &["rails", "db:migrate:redo*"]),
    deploys("Rails", &["rails", "db:migrate"]),
    deploys("Rails", &["rails", "db:migrate:up*"]),
    deploys("Rails", &["rails", "db:migrate:primary"]),
    deploys("Rails", &["rails", "db:prepare*"]),
    deploys("Rails", &["rails", "db:forward*"]),
    destroys("Rails", &["rake", "db:drop*"]),
    destroys("Rails", &["rake", "db:reset*"]),
    destroys("Rails", &["rake", "db:purge*"]),
    destroys("Rails", &["rake", "db:migrate:reset*"]),
    destroys("Rails", &["rake", "db:schema:load*"]),
    destroys("Rails", &["rake", "db:structure:load*"]),
    destroys("Rails", &["rake", "db:setup*"]),
    destroys("Rails", &["rake", "db:rollback*"]),
    destroys("Rails", &["rake", "db:migrate:down*"]),
    destroys("Rails", &["rake", "db:migrate:redo*"]),
    deploys("Rails", &["rake", "db:migrate"]),
    deploys("Rails", &["rake", "db:migrate:up*"]),
    deploys("Rails", &["rake", "db:prepare*"]),
    // docs.djangoproject.com/en/stable/ref/django-admin
    destroys("Django", &["manage.py", "flush"]),
    destroys("Django", &["manage.py", "reset_db"]),
    deploys("Django", &["manage.py", "migrate"]).unless(&["--plan", "--check", "--help"]),
    destroys("Django", &["django-admin", "flush"]),
    deploys("Django", &["django-admin", "migrate"]).unless(&["--plan", "--check", "--help"]),
    // alembic.sqlalchemy.org/en/latest/tutorial.html; `flask db` is Flask-Migrate.
    destroys("Alembic", &["alembic", "downgrade"]).unless(&["--sql"]),
    deploys("Alembic", &["alembic", "upgrade"]).unless(&["--sql"]),
    deploys("Alembic", &["alembic", "stamp"]).unless(&["--sql"]),
    destroys("Alembic", &["flask", "db", "downgrade"]).unless(&["--sql"]),
    deploys("Alembic", &["flask", "db", "upgrade"]).unless(&["--sql"]),
    // hexdocs.pm/ecto_sql/Mix.Tasks.Ecto.Migrate.html and its neighbours
    destroys("Ecto", &["mix", "ecto.drop*"]),
    destroys("Ecto", &["mix", "ecto.reset"]),
    destroys("Ecto", &["mix", "ecto.rollback*"]),
    deploys("Ecto", &["mix", "ecto.migrate*"]).unless(&["ecto.migrations"]),
    deploys("Ecto", &["mix", "ecto.setup"]),
    deploys("Ecto", &["mix", "ecto.load*"]),
    // laravel.com/docs/migrations
    destroys("Laravel", &["artisan", "migrate:fresh"]),
    destroys("Laravel", &["artisan", "migrate:refresh"]),
    destroys("Laravel", &["artisan", "migrate:reset"]),
    destroys("Laravel", &["artisan", "migrate:rollback"]).unless(&["--pretend"]),
    destroys("Laravel", &["artisan", "db:wipe"]),
    deploys("Laravel", &["artisan", "migrate"]).unless(&["--pretend"]),
    // doctrine-project.org/projects/doctrine-migrations; the programs of Symfony and of Doctrine itself.
    destroys("Doctrine", &["console", "doctrine:database:drop"]),
    destroys("Doctrine", &["console", "doctrine:schema:drop"]).unless(&["--dump-sql"]),
    deploys("Doctrine", &["console", "doctrine:schema:update"]).unless(&["--dump-sql"]),
    deploys("Doctrine", &["console", "doctrine:migrations:migrate"]).unless(&["--dry-run", "--write-sql*"]),
    deploys("Doctrine", &["console", "doctrine:migrations:execute"]).unless(&["--dry-run", "--write-sql*"]),
    deploys("Doctrine", &["doctrine-migrations", "migrate"]).unless(&["--dry-run", "--write-sql*"]),
    // knexjs.org/guide/migrations.html
    destroys("Knex", &["knex", "migrate:rollback"]),
    destroys("Knex", &["knex", "migrate:down"]),
    deploys("Knex", &["knex", "migrate:latest"]),
    deploys("Knex", &["knex", "migrate:up"]),
    // typeorm.io/docs/advanced-topics/using-cli
    destroys("TypeORM", &["typeorm", "schema:drop"]),
    destroys("TypeORM", &["typeorm", "migration:revert"]),
    deploys("TypeORM", &["typeorm", "migration:run"]),
    deploys("TypeORM", &["typeorm", "schema:sync"]),
    destroys("TypeORM", &["typeorm-ts-node-commonjs", "schema:drop"]),
    destroys("TypeORM", &["typeorm-ts-node-commonjs", "migration:revert"]),
    deploys("TypeORM", &["typeorm-ts-node-commonjs", "migration:run"]),
    deploys("TypeORM", &["typeorm-ts-node-commonjs", "schema:sync"]),
    // sequelize.org/docs/v6/other-topics/migrations
    destroys("Sequelize", &["sequelize-cli", "db:drop"]),
    destroys("Sequelize", &["sequelize-cli", "db:migrate:undo*"]),
    deploys("Sequelize", &["sequelize-cli", "db:migrate"]),
    destroys("Sequelize", &["sequelize", "db:drop"]),
    destroys("Sequelize", &["sequelize", "db:migrate:undo*"]),
    deploys("Sequelize", &["sequelize", "db:migrate"]),
    // learn.microsoft.com/ef/core/cli/dotnet
    destroys("Entity Framework", &["dotnet", "ef", "database", "drop"]).unless(&["--dry-run"]),
    deploys("Entity Framework", &["dotnet", "ef", "database", "update"]),
    destroys("Entity Framework", &["dotnet-ef", "database", "drop"]).unless(&["--dry-run"]),
    deploys("Entity Framework", &["dotnet-ef", "database", "update"]),
    // Flyway and Liquibase
    destroys("Flyway", &["flyway", "clean"]),
    destroys("Flyway", &["flyway", "undo"]),
    deploys("Flyway", &["flyway", "migrate"]),
    deploys("Flyway", &["flyway", "repair"]),
    deploys("Flyway", &["flyway", "baseline"]),
    destroys("Flyway", &["mvn", "flyway:clean"]),
    deploys("Flyway", &["mvn", "flyway:migrate"]),
    destroys("Flyway", &["gradlew", "flywayClean"]),
    deploys("Flyway", &["gradlew", "flywayMigrate"]),
    destroys("Liquibase", &["liquibase", "drop-all"]),
    destroys("Liquibase", &["liquibase", "dropAll"]),
    destroys("Liquibase", &["liquibase", "rollback"]),
    destroys("Liquibase", &["liquibase", "rollback-count"]),
    deploys("Liquibase", &["liquibase", "update"]),
    deploys("Liquibase", &["liquibase", "update-count"]),
    deploys("Liquibase", &["liquibase", "changelog-sync"]),
    deploys("Liquibase", &["mvn", "liquibase:update"]),
    // Tools of SQL files
    destroys("golang-migrate", &["migrate", "drop"]),
    destroys("golang-migrate", &["migrate", "down"]),
    deploys("golang-migrate", &["migrate", "up"]),
    deploys("golang-migrate", &["migrate", "goto"]),
    deploys("golang-migrate", &["migrate", "force"]),
    destroys("goose", &["goose", "reset"]),
    destroys("goose", &["goose", "down"]),
    destroys("goose", &["goose", "down-to"]),
    destroys("goose", &["goose", "redo"]),
    deploys("goose", &["goose", "up"]),
    deploys("goose", &["goose", "up-to"]),
    deploys("goose", &["goose", "up-by-one"]),
    destroys("dbmate", &["dbmate", "drop"]),
    destroys("dbmate", &["dbmate", "rollback"]),
    destroys("dbmate", &["dbmate", "down"]),
    deploys("dbmate", &["dbmate", "up"]),
    deploys("dbmate", &["dbmate", "migrate"]),
    deploys("dbmate", &["dbmate", "load"]),
    destroys("SQLx", &["sqlx", "database", "drop"]),
    destroys("SQLx", &["sqlx", "database", "reset"]),
    destroys("SQLx", &["sqlx", "migrate", "revert"]).unless(&["--dry-run"]),
    deploys("SQLx", &["sqlx", "migrate", "run"]).unless(&["--dry-run"]),
    deploys("SQLx", &["sqlx", "database", "setup"]),
    destroys("SQLx", &["cargo", "sqlx", "database", "drop"]),
    destroys("SQLx", &["cargo", "sqlx", "database", "reset"]),
    deploys("SQLx", &["cargo", "sqlx", "migrate", "run"]).unless(&["--dry-run"]),
    destroys("Diesel", &["diesel", "database", "reset"]),
    destroys("Diesel", &["diesel", "database", "drop"]),
    destroys("Diesel", &["diesel", "migration", "revert"]),
    destroys("Diesel", &["diesel", "migration", "redo"]),
    deploys("Diesel", &["diesel", "migration", "run"]),
    deploys("Diesel", &["diesel", "setup"]),
    destroys("sql-migrate", &["sql-migrate", "down"]).unless(&["-dryrun", "--dryrun"]),
    destroys("sql-migrate", &["sql-migrate", "redo"]).unless(&["-dryrun", "--dryrun"]),
    deploys("sql-migrate", &["sql-migrate", "up"]).unless(&["-dryrun", "--dryrun"]),
    destroys("node-pg-migrate", &["node-pg-migrate", "down"]).unless(&["--dry-run"]),
    destroys("node-pg-migrate", &["node-pg-migrate", "redo"]).unless(&["--dry-run"]),
    deploys("node-pg-migrate", &["node-pg-migrate", "up"]).unless(&["--dry-run"]),
    destroys("Supabase", &["supabase", "db", "reset"]),
    deploys("Supabase", &["supabase", "db", "push"]).unless(&["--dry-run"]),
    deploys("Supabase", &["supabase", "migration", "up"]),
    deploys("Supabase", &["supabase", "migration", "repair"]),
    destroys("Atlas", &["atlas", "schema", "clean"]),
    destroys("Atlas", &["atlas", "migrate", "down"]),
    deploys("Atlas", &["atlas", "schema", "apply"]).unless(&["--dry-run"]),
    deploys("Atlas", &["atlas", "migrate", "apply"]).unless(&["--dry-run"]),
    deploys("Atlas", &["atlas", "migrate", "set"]),
    deploys("refinery", &["refinery", "migrate"]),
    destroys("Graphile Migrate", &["graphile-migrate", "reset"]),
    deploys("Graphile Migrate", &["graphile-migrate", "migrate"]),
    deploys("Graphile Migrate", &["graphile-migrate", "watch"]),
    destroys("Sqitch", &["sqitch", "revert"]),
    destroys("Sqitch", &["sqitch", "rebase"]),
    deploys("Sqitch", &["sqitch", "deploy"]),
    deploys("postgrator", &["postgrator"]),
    // postgresql.org/docs/current/reference-client.html
    destroys("PostgreSQL", &["dropdb"]).unless(&["--help"]),
    destroys("PostgreSQL", &["pg_restore", "--clean"]),
    destroys("PostgreSQL", &["pg_restore", "-c"]),
    deploys("PostgreSQL", &["pg_restore", "-d"]),
    deploys("PostgreSQL", &["pg_restore", "--dbname*"]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::FRAMEWORKS;

    #[test]
    fn every_framework_has_commands_unless_people_run_its_files_themselves() {
        let has = |title: &str| RUNNER_COMMANDS.iter().any(|it| title.starts_with(it.framework));
        let without: Vec<&str> = FRAMEWORKS.iter().map(|it| it.title).filter(|it| !has(it)).collect();
        assert_eq!(without, ["numbered SQL files"]);
    }

    #[test]
    fn what_loses_data_is_found_before_what_does_not() {
        let does = |program, arguments: &[&str]| runner_command(program, arguments).map(|it| it.does);
        assert_eq!(does("prisma", &["db", "push", "--force-reset"]), Some(Does::Destroys));
        assert_eq!(does("prisma", &["db", "push"]), Some(Does::Deploys));
        assert_eq!(does("prisma", &["generate"]), None);
        assert_eq!(does("alembic", &["upgrade", "head", "--sql"]), None);
        assert_eq!(does("rails", &["db:migrate:status"]), None);
        assert_eq!(does("rails", &["db:migrate:down", "VERSION=1"]), Some(Does::Destroys));
    }
}
