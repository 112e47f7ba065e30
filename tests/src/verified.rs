//! Plans of real migrations proved in the model.

use crate::corpus::{checked, projects};
use lockkeeper_core::mechanics::Answers;
use lockkeeper_core::plan::Way;
use lockkeeper_project::{proved, rewrite};

/// Every migration of the corpus that has recipes, in every way; with `--nocapture` what is said of each is shown.
#[test]
fn plans_of_real_migrations_are_proved() {
    let (mut plans, mut found) = (0, Vec::new());
    for (name, project) in projects() {
        for file in checked(&project) {
            if !file.hazards().any(|hazard| !hazard.recipes.is_empty()) {
                continue;
            }
            for way in rewrite::ways(&file).into_iter().filter(|it| *it != Way::Window) {
                let Ok(phases) = rewrite::phases(&project, &file, way, &Answers::new()) else { continue };
                plans += 1;
                let all: Vec<String> =
                    proved::objections(&file, way, &phases).iter().map(ToString::to_string).collect();
                if !all.is_empty() {
                    found.push(format!("{name}/{} ({}):\n  {}", file.path, way.id(), all.join("\n  ")));
                }
            }
        }
    }
    println!("{plans} plans of the corpus, {} with objections\n{}", found.len(), found.join("\n"));
    // Those that are left were read: what each says is so, and its plan is refused. Recipes are to become better.
    assert!(found.len() * 12 <= plans, "{} of {plans} plans", found.len());
}
