//! What a migration sets for its session: its steps stand in files of their own, and each sets it again.

use crate::operation::{CreateIndex, Kind, ObjectKind, Set};
use crate::plan::{Act, Phase, SqlStep, Statement, Step};

/// These say how long something may take or what is told about it. Every step sets those that it needs.
const OF_NO_MATTER: &[&str] = &[
    "application_name",
    "check_function_bodies",
    "client_encoding",
    "client_min_messages",
    "deadlock_timeout",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "jit",
    "lock_timeout",
    "maintenance_work_mem",
    "row_security",
    "standard_conforming_strings",
    "statement_timeout",
    "synchronous_commit",
    "temp_buffers",
    "transaction_timeout",
    "work_mem",
    "xmloption",
    // No settings, but what a transaction is like.
    "characteristics",
    "constraints",
    "transaction",
];

/// These say how names and values are read: the functions of triggers keep them, as they run in sessions of the application. Others, such as who is asked
/// for or what a tenant is, are the writer's own.
const READS: &[&str] =
    &["bytea_output", "datestyle", "extra_float_digits", "intervalstyle", "search_path", "timezone"];

/// The settings in force at a place of a migration.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings(Vec<Set>);

impl Settings {
    /// Follows a statement.
    pub fn apply(&mut self, set: &Set) {
        let name = if set.name == "authorization" { "session_authorization" } else { &set.name };
        let group = ["log_", "enable_", "max_parallel_", "vacuum_cost_", "parallel_"];
        if OF_NO_MATTER.contains(&name) || group.iter().any(|it| name.starts_with(it)) {
            return;
        }
        if name == "all" {
            self.0.clear();
        }
        self.0.retain(|it| it.name != name);
        // Nobody else than who has logged in.
        let is_own = name == "role" && set.value.as_deref() == Some("none");
        if set.value.is_some() && !is_own {
            self.0.push(Set { name: name.to_owned(), ..set.clone() });
        }
    }

    /// Lets the steps of phases set them.
    pub fn over(&self, phases: &mut [Phase]) {
        if self.0.is_empty() {
            return;
        }
        for step in phases.iter_mut().flat_map(|it| &mut it.steps) {
            if let Step::Sql(step) = step {
                self.over_step(step);
            }
        }
    }

    fn over_step(&self, step: &mut SqlStep) {
        let transactional = step.transactional;
        step.up = self.over_statements(std::mem::take(&mut step.up), transactional);
        step.down = step.down.take().map(|it| self.over_statements(it, transactional));
    }

    fn over_statements(&self, mut statements: Vec<Statement>, transactional: bool) -> Vec<Statement> {
        if statements.iter().all(is_nothing) {
            return statements;
        }
        let in_batches = |it: &Statement| matches!(it.act, Act::Batches(_));
        if statements.iter().any(in_batches) {
            // A block that commits is a statement of its own in every runner, so it sets them itself.
            statements.iter_mut().for_each(|it| self.in_statement(it));
            return statements;
        }
        statements.iter_mut().for_each(|it| self.in_statement(it));
        let needed = |set: &&Set| transactional || statements.iter().any(|it| needs(it, &set.name));
        let set = |it: &Set| Kind::Set(Set { local: transactional, ..it.clone() }).into();
        let own: Vec<Statement> = self.0.iter().filter(needed).map(set).collect();
        own.into_iter().chain(statements).collect()
    }

    /// Functions of triggers run in other sessions later, and jobs in sessions of their own.
    fn in_statement(&self, statement: &mut Statement) {
        match &mut statement.act {
            Act::Batches(job) => {
                job.settings = self.0.iter().map(|it| (it.name.clone(), value(it).to_owned())).collect();
            }
            Act::Operation(kind) => {
                if let Kind::CreateFunction(function) = &mut **kind
                    && function.returns_trigger
                    && function.code.is_some()
                {
                    for set in self.0.iter().filter(|it| READS.contains(&it.name.as_str())) {
                        let own = format!("SET {} ", set.name);
                        if !function.options.contains(&own) {
                            let words = set.words.as_deref().unwrap_or_default();
                            let space = if function.options.is_empty() { "" } else { " " };
                            function.options.push_str(&format!("{space}{own}TO {words}"));
                        }
                    }
                }
            }
            _ => {}
        }
    }
}

/// Whether a statement is there only because a file must hold one.
fn is_nothing(statement: &Statement) -> bool {
    let nothing = |kind: &Kind| matches!(kind, Kind::Query(query) if query.query.text.trim() == "SELECT 1");
    matches!(&statement.act, Act::Operation(kind) if nothing(kind))
}

fn value(set: &Set) -> &str {
    set.value.as_deref().unwrap_or_default()
}

/// Who does something: no function says that of its callers.
fn is_of_people(setting: &str) -> bool {
    matches!(setting, "role" | "session_authorization" | "session_replication_role")
}

/// Whether a statement that stands alone does something else under a setting. What builds, drops or reads an index says itself where it is.
fn needs(statement: &Statement, setting: &str) -> bool {
    if is_of_people(setting) || matches!(setting, "default_tablespace" | "default_table_access_method") {
        return true;
    }
    statement.operations().into_iter().any(|kind| match kind {
        Kind::CreateIndex(index) => reads_expressions(index),
        Kind::Drop(drop) => drop.object != ObjectKind::Index,
        Kind::Reindex(_) => false,
        _ => true,
    })
}

fn reads_expressions(index: &CreateIndex) -> bool {
    index.predicate.is_some() || index.keys.iter().any(|it| it.column.is_none())
}
