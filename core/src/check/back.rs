//! The way back of a migration: checked on the schema that its way up leaves.

use super::{Checked, Part, Run};
use crate::catalog::Catalog;
use crate::dialect::Target;
use crate::hazards::{self, Back, Hazard};
use crate::operation::Operation;
use crate::statement::Script;

/// The way up of a migration, checked.
#[derive(Debug, Clone)]
pub struct Up<'a> {
    /// The schema before it.
    pub before: &'a Catalog,
    /// Its parts.
    pub parts: Vec<&'a Checked>,
}

impl<'a> Up<'a> {
    fn after(&self) -> &'a Catalog {
        self.parts.last().map_or(self.before, |part| &part.after)
    }

    fn operations(&self) -> Vec<&'a Operation> {
        self.parts.iter().flat_map(|part| operations(part)).collect()
    }

    fn reported_timeout(&self) -> bool {
        self.parts.iter().flat_map(|part| &part.hazards).any(|hazard| hazard.rule == "no-lock-timeout")
    }
}

fn operations(checked: &Checked) -> impl Iterator<Item = &Operation> {
    checked.statements.iter().flat_map(|statement| &statement.operations)
}

/// Reads and checks the parts that go back, in order, after the way up.
pub fn check_down(parts: &[Part<'_>], target: &Target, up: &Up<'_>) -> Vec<Checked> {
    let mut checked: Vec<Checked> = Vec::with_capacity(parts.len());
    for part in parts {
        let script = Script::read_part(part.text, part.span, target.dialect);
        let mut before = checked.last().map_or(up.after(), |it| &it.after).clone();
        before.start_way_back();
        let mut run = Run::new(*part, target, before, &script);
        run.back = Some(up.before);
        // The same wait is not said twice.
        run.timeout_reported = up.reported_timeout();
        checked.push(run.finish());
    }
    let found = whole(&checked, target, up);
    for hazard in found {
        place(&mut checked, parts, hazard);
    }
    for part in &mut checked {
        let hazards = std::mem::take(&mut part.hazards);
        part.hazards = hazards.into_iter().map(Hazard::on_the_way_back).collect();
        crate::hazards::in_order(&mut part.hazards);
    }
    checked
}

fn whole(checked: &[Checked], target: &Target, up: &Up<'_>) -> Vec<Hazard> {
    let Some(last) = checked.last() else { return Vec::new() };
    let back = Back {
        before: up.before,
        after: &last.after,
        up: up.operations(),
        down: Some(checked.iter().flat_map(operations).collect()),
    };
    hazards::check_back(&back, target.dialect)
}

/// The hazards of a migration that has no way back where its neighbours have one.
pub fn missing_down(target: &Target, up: &Up<'_>) -> Vec<Hazard> {
    let back = Back { before: up.before, after: up.after(), up: up.operations(), down: None };
    hazards::check_back(&back, target.dialect)
}

fn place(checked: &mut [Checked], parts: &[Part<'_>], hazard: Hazard) {
    let at = parts.iter().position(|part| part.span.contains(hazard.span)).unwrap_or(0);
    let Some(part) = checked.get_mut(at) else { return };
    let statement = part.statements.iter().position(|it| it.span.contains(hazard.span)).unwrap_or(0);
    part.hazards.push(Hazard { statement, ..hazard });
}
