//! One file checked where it stands: its way up, and its way back on the schema that the way up leaves.

use lockkeeper_core::catalog::Catalog;
use lockkeeper_core::check::{self, Checked, Part, Up};
use lockkeeper_core::dialect::Target;
use lockkeeper_core::framework::{Direction, Framework, Section};
use lockkeeper_core::mechanics::Scene;
use lockkeeper_core::policy::{Judged, Policy, judge};
use lockkeeper_core::recipes::{self, Group};
use lockkeeper_core::text::Span;

use super::CheckedFile;
use crate::folder::{Folder, Source};

/// Checks one file on the schema before its migration. The folder, where there is one, knows the file's other half and
/// whether its migrations can be taken back.
pub fn check_source(
    framework: &'static Framework,
    source: &Source,
    target: &Target,
    before: &Catalog,
    folder: Option<&Folder>,
    policy: &Policy,
) -> CheckedFile {
    let settings = folder.map(|it| it.settings).unwrap_or_default();
    let mut ups = check_ups(source, target, before);
    let sent = |direction, parts: &mut [Checked]| {
        let sections = source.sections.iter().filter(|it| it.direction == direction);
        for (section, checked) in sections.zip(parts) {
            check::check_runner(framework, settings, section, part(source, section), target, checked);
        }
    };
    sent(Direction::Up, &mut ups);
    if folder.is_some_and(|folder| lacks_down(folder, source)) {
        let up = Up { before, parts: ups.iter().collect() };
        let found = check::missing_down(target, &up);
        if let Some(first) = ups.first_mut() {
            first.hazards.extend(found);
        }
    }
    let mut downs = check_downs(source, target, before, &ups, folder);
    sent(Direction::Down, &mut downs);
    let judged = |checked: Vec<Checked>| -> Vec<(Checked, Judged)> {
        let with_judged = |it: Checked| {
            let judged = judge(&source.text, &it, policy);
            (it, judged)
        };
        checked.into_iter().map(with_judged).collect()
    };
    let mut parts = judged(ups);
    let groups = groups(&mut parts, source, target, before);
    CheckedFile {
        path: source.path.clone(),
        framework,
        target: target.clone(),
        text: source.text.clone(),
        parts,
        downs: judged(downs),
        groups,
        before: before.clone(),
    }
}

/// What several operations mean together. Their hazards name the recipe for all of it first: what cures one of them alone may lose what the release
/// that is live still writes.
fn groups(parts: &mut [(Checked, Judged)], source: &Source, target: &Target, before: &Catalog) -> Vec<Group> {
    // Only a group that cures a hazard counts.
    if parts.iter().flat_map(|(_, judged)| &judged.hazards).all(|hazard| hazard.recipes.is_empty()) {
        return Vec::new();
    }
    let operations = recipes::in_order(parts.iter().map(|(checked, _)| checked));
    let mut groups = recipes::groups(&operations, &Scene::reading(&source.text, target, before));
    let spans: Vec<Span> = operations.iter().map(|it| it.span).collect();
    groups.retain(|group| {
        let spans: Vec<Span> = group.members.iter().map(|at| spans[*at]).collect();
        let hazards = parts.iter_mut().flat_map(|(_, judged)| &mut judged.hazards);
        let own = hazards.filter(|hazard| spans.iter().any(|span| span.contains(hazard.span)));
        let mut cures = false;
        for hazard in own.filter(|it| !it.recipes.is_empty()) {
            hazard.recipes.insert(0, group.recipe.id);
            cures = true;
        }
        cures
    });
    groups
}

fn part<'a>(source: &'a Source, section: &Section) -> Part<'a> {
    Part { text: &source.text, span: section.span, transaction: section.transaction }
}

fn parts(source: &Source, direction: Direction) -> Vec<Part<'_>> {
    let sections = source.sections.iter().filter(|section| section.direction == direction);
    sections.map(|section| part(source, section)).collect()
}

fn check_ups(source: &Source, target: &Target, before: &Catalog) -> Vec<Checked> {
    let mut checked: Vec<Checked> = Vec::new();
    for part in parts(source, Direction::Up) {
        let before = checked.last().map_or(before, |it| &it.after);
        checked.push(check::check(part, target, before));
    }
    checked
}

fn check_downs(
    source: &Source,
    target: &Target,
    before: &Catalog,
    own: &[Checked],
    folder: Option<&Folder>,
) -> Vec<Checked> {
    let downs = parts(source, Direction::Down);
    if downs.is_empty() {
        return Vec::new();
    }
    if !own.is_empty() {
        return check::check_down(&downs, target, &Up { before, parts: own.iter().collect() });
    }
    let mut ups: Vec<Checked> = Vec::new();
    for sibling in folder.into_iter().flat_map(|folder| folder.siblings(&source.path)) {
        let before = ups.last().map_or(before, |it| &it.after);
        ups.extend(check_ups(sibling, target, before));
    }
    if ups.is_empty() {
        // What it takes back nobody knows.
        let mut before = before.clone();
        before.mark_incomplete();
        return check::check_down(&downs, target, &Up { before: &before, parts: Vec::new() });
    }
    check::check_down(&downs, target, &Up { before, parts: ups.iter().collect() })
}

/// Whether the file goes up and nothing takes it back, in a folder whose migrations can be taken back.
fn lacks_down(folder: &Folder, source: &Source) -> bool {
    let is_up = source.sections.iter().any(|section| section.direction == Direction::Up);
    is_up
        && !source.goes_back()
        && folder.expects_down(&source.path)
        && !folder.siblings(&source.path).any(|sibling| sibling.goes_back())
}
