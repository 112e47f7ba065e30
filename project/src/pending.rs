//! Which migrations have not run yet, as the migrations table of a database says.

use std::collections::BTreeSet;

use lockkeeper_core::framework::{Framework, Kind, Memory, Version};

use crate::database::{Database, DatabaseError};
use crate::folder::{Folder, Migration};

/// Why the database could not say it.
#[derive(Debug, thiserror::Error)]
pub enum PendingError {
    /// It cannot be asked.
    #[error("{0}, or use --since")]
    Unasked(#[from] DatabaseError),
    /// The runner leaves nothing that says which migrations have run.
    #[error("{0} leaves no table that says by version which migrations have run: use --since")]
    NotRecorded(&'static str),
}

/// What has run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// These.
    Each(Vec<String>),
    /// All up to this one; `None` where nothing has run.
    Latest(Option<String>),
}

/// Asks a database what the framework has run.
///
/// # Errors
/// [`PendingError`] with what to do.
pub fn applied(database: &Database, framework: &'static Framework) -> Result<Applied, PendingError> {
    let rows = |table: &str, query: &str| -> Result<Vec<String>, PendingError> {
        let there = database.column(&format!("SELECT to_regclass('{table}') IS NOT NULL"))?;
        if there.first().is_none_or(|it| it != "t") {
            return Ok(Vec::new());
        }
        Ok(database.column(query)?)
    };
    match framework.memory {
        Memory::Each { table, query } => Ok(Applied::Each(rows(table, query)?)),
        Memory::Latest { table, query } => Ok(Applied::Latest(rows(table, query)?.into_iter().next())),
        Memory::Elsewhere => Err(PendingError::NotRecorded(framework.title)),
    }
}

/// The files of a folder that have not run, in order.
pub fn pending(folder: &Folder, applied: &Applied) -> BTreeSet<String> {
    let versioned = folder.migrations.iter().filter(|migration| migration.kind == Kind::Versioned);
    let open = versioned.filter(|migration| !has_run(folder.framework, migration, applied));
    open.flat_map(|migration| &migration.files).map(|file| file.path.clone()).collect()
}

/// Whether a migration has run.
pub fn has_run(framework: &Framework, migration: &Migration, applied: &Applied) -> bool {
    match applied {
        Applied::Latest(latest) => {
            let latest = latest.as_ref().and_then(|text| Version::new(framework, text));
            latest.is_some_and(|latest| migration.version <= latest)
        }
        // Prisma records the name of the folder, the others the version.
        Applied::Each(all) => all.iter().any(|text| {
            Version::new(framework, text).is_some_and(|version| version == migration.version)
                || *text == format!("{}_{}", migration.version.text, migration.name)
        }),
    }
}
