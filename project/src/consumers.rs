//! Who uses what a change takes away, by kind: each moves at another time.

use std::collections::BTreeMap;

use lockkeeper_core::hazards::Subject;
use lockkeeper_core::reference::Reference;
use lockkeeper_core::runbook::Consumer;
use lockkeeper_core::signals::Situation;

use crate::files::{name, parent};
use crate::owners::Owners;

/// The kind of thing that a file is, for when it has to move.
fn kind(path: &str) -> &'static str {
    let name = name(path);
    let is = |endings: &[&str]| endings.iter().any(|it| name.ends_with(it));
    let within = |folders: &[&str]| parent(path).split('/').any(|it| folders.contains(&it));
    match () {
        () if within(&["test", "tests", "spec", "__tests__", "e2e", "fixtures"])
            || name.contains("_test.")
            || name.contains(".test.")
            || name.contains(".spec.") =>
        {
            "test"
        }
        () if is(&[".graphql", ".graphqls", ".proto", ".avsc"])
            || name.contains("openapi")
            || name.contains("swagger")
            || name.ends_with(".schema.json") =>
        {
            "contract"
        }
        () if is(&[".lkml", ".lookml"]) || within(&["lookml", "metabase", "superset", "dashboards"]) => {
            "dashboard"
        }
        () if within(&["dbt", "etl", "airflow", "dags"]) || name == "schema.yml" || name == "sources.yml" => {
            "warehouse"
        }
        () if is(&[".sh", ".bash", ".cron"])
            || name.starts_with("crontab")
            || within(&["cron", "jobs", "ops", "scripts"]) =>
        {
            "job"
        }
        () if within(&["reports", "queries", "analytics"]) || is(&[".sql"]) => "query",
        () => "application",
    }
}

/// When a consumer of a kind has to move.
fn path_of(kind: &str) -> &'static str {
    match kind {
        "test" => "with the release of what it tests",
        "contract" | "api" => {
            "both names are served from the first release on; the old one goes when its clients have moved, before the contract phase"
        }
        "dashboard" | "bi" => "moved to the new between the first release and the contract phase",
        "warehouse" | "etl" => {
            "reads the new between the first release and the contract phase; its next full load is checked"
        }
        "job" | "jobs" => "changed and run once between the first release and the contract phase",
        "query" => "changed between the first release and the contract phase",
        "cache" => {
            "keys get a new version with the first release; entries of the old have expired before the contract phase"
        }
        "events" => {
            "both fields are published from the first release on; the old one stops when its readers have moved"
        }
        "subscribers" => {
            "what is new is added to the subscribers before the first step here, and what goes is dropped there after the last"
        }
        "search" => {
            "the new field is added to the mapping and filled before the first release; the old one goes with the contract phase"
        }
        _ => "in the releases of this plan",
    }
}

/// Everybody who was found, then what people said.
pub fn consumers(
    references: &BTreeMap<Subject, Vec<Reference>>,
    owners: &Owners,
    situation: &Situation,
) -> Vec<Consumer> {
    let mut found = Vec::new();
    for (subject, places) in references {
        let name = match &subject.column {
            Some(column) => format!("{}.{column}", subject.table),
            None => subject.table.clone(),
        };
        found.extend(places.iter().map(|it| {
            let kind = kind(&it.path);
            Consumer {
                kind: kind.to_owned(),
                place: format!("{}:{}", it.path, it.line),
                name: name.clone(),
                owner: owners.of_path(&it.path),
                path: path_of(kind).to_owned(),
            }
        }));
    }
    let stated = situation.consumers.iter().map(|kind| Consumer {
        kind: kind.clone(),
        place: "stated (other-consumers)".to_owned(),
        name: references.keys().next().map_or(String::new(), |it| it.table.clone()),
        owner: None,
        path: path_of(kind).to_owned(),
    });
    let subscribers = situation.published.iter().map(|(table, publications)| Consumer {
        kind: "subscribers".to_owned(),
        place: format!("publication {publications}"),
        name: table.clone(),
        owner: None,
        path: path_of("subscribers").to_owned(),
    });
    found.dedup();
    found.extend(stated);
    found.extend(subscribers);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_moves_at_its_time() {
        let kinds = [
            ("src/users.ts", "application"),
            ("src/users.test.ts", "test"),
            ("api/openapi.yaml", "contract"),
            ("ops/monthly-report.sh", "job"),
            ("reports/monthly.sql", "query"),
            ("dbt/models/users.sql", "warehouse"),
            ("bi/dashboards/users.json", "dashboard"),
        ];
        for (path, expected) in kinds {
            assert_eq!(kind(path), expected, "{path}");
            assert!(!path_of(expected).is_empty());
        }
    }
}
