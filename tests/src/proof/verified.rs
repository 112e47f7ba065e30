//! The plans of all fixtures proved in the model: what a server proves needs no objection.

use super::files::checked;
use super::{Fixture, fixtures};
use lockkeeper_core::plan::Way;
use lockkeeper_project::{proved, rewrite};

fn objections(fixture: &Fixture, version: u32) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let texts = [fixture.schema, fixture.migration].map(str::to_owned);
    let (project, file) = checked(folder.path(), texts, version, fixture.answers);
    let answers = project.config.answers_with(&[]);
    let Ok(phases) = rewrite::phases(&project, &file, fixture.way, &answers) else { return Vec::new() };
    proved::objections(&file, fixture.way, &phases).iter().map(ToString::to_string).collect()
}

#[test]
fn what_a_server_proves_needs_no_objection() {
    let mut found = Vec::new();
    for fixture in fixtures().filter(|it| it.way != Way::Window) {
        for version in [12, 15, 18] {
            let all = objections(fixture, version);
            if !all.is_empty() {
                found.push(format!(
                    "{} ({}) on {version}:\n  {}",
                    fixture.name,
                    fixture.way.id(),
                    all.join("\n  ")
                ));
            }
        }
    }
    assert!(found.is_empty(), "{} plans:\n{}", found.len(), found.join("\n"));
}
