//! Where the programs of an installed PostgreSQL are.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::RehearseError;

/// The variable that names the folder, where no option does.
pub const VARIABLE: &str = "LOCKKEEPER_PG_BIN";

/// The folder with `initdb` and `postgres`: as told, as the variable says, as distributions install them (the newest, or the
/// one of the wanted version), or on the PATH.
pub(crate) fn find(told: Option<&Path>, wanted: Option<u32>) -> Result<PathBuf, RehearseError> {
    let told = told.map(Path::to_owned).or_else(|| std::env::var_os(VARIABLE).map(PathBuf::from));
    if let Some(folder) = told {
        return match is_whole(&folder) {
            true => Ok(folder),
            false => Err(RehearseError::NoServer(format!(
                "{} does not hold initdb and postgres: name the folder that does with --bin-dir or {VARIABLE}",
                folder.display()
            ))),
        };
    }
    let mut installed = installed();
    installed.sort_by_key(|(version, _)| (Some(*version) == wanted, *version));
    if let Some((_, folder)) = installed.pop() {
        return Ok(folder);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let linked = std::env::split_paths(&path).find(|folder| folder.join("initdb").is_file());
    let folder = linked.and_then(|it| Some(fs::canonicalize(it.join("initdb")).ok()?.parent()?.to_owned()));
    folder.filter(|it| is_whole(it)).ok_or_else(|| {
        RehearseError::NoServer(format!(
            "no PostgreSQL server is installed here. Install one (Debian, Ubuntu: `sudo apt-get install postgresql`; Fedora: \
             `sudo dnf install postgresql-server`; macOS: `brew install postgresql@17`), or name the folder of its programs \
             with --bin-dir or {VARIABLE}"
        ))
    })
}

/// The versions that distributions installed.
fn installed() -> Vec<(u32, PathBuf)> {
    const PLACES: &[&str] = &["/usr/lib/postgresql", "/usr/pgsql", "/opt/homebrew/opt", "/usr/local/opt"];
    let mut found = Vec::new();
    for place in PLACES {
        for entry in fs::read_dir(place).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let version = name.trim_start_matches("postgresql@").parse::<u32>();
            let folder = entry.path().join("bin");
            if let (Ok(version), true) = (version, is_whole(&folder)) {
                found.push((version, folder));
            }
        }
    }
    found
}

fn is_whole(folder: &Path) -> bool {
    ["initdb", "postgres"].iter().all(|it| folder.join(it).is_file())
}
