//! A database that a person has let the tools of agents look at: named in the committed configuration, its URL in the server's environment.

use lockkeeper_project::database::Database;
use lockkeeper_project::{Project, policy};

use crate::world::Told;

/// The database of this name, or the only one.
pub fn database(project: &Project, wanted: Option<&str>, patience: u32) -> Told<(String, Database)> {
    let readable = policy::in_force(project).map_err(|error| error.to_string())?.readable;
    let names = readable.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let found = match wanted {
        Some(wanted) => readable.get_key_value(wanted),
        None if readable.len() == 1 => readable.first_key_value(),
        None => None,
    };
    match found {
        Some((name, variable)) => {
            let database = Database::of_variable(variable, patience).map_err(|error| error.to_string())?;
            Ok((name.clone(), database))
        }
        None if readable.is_empty() => Err(
            "no database may be looked at: your human writes `url-env = \"VARIABLE\"` under [databases.NAME] in lockkeeper.toml, commits it, \
             and starts this server with that variable. Do not do it for them"
                .to_owned(),
        ),
        None => Err(format!("name one of these as `database`: {names}")),
    }
}
