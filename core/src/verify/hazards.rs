//! Steps that fail, and rules that they break.

use super::moments::{Course, Ran};
use super::releases::Told;
use super::{Change, Kind as Of, Objection};
use crate::catalog::RelationName;
use crate::hazards::Hazard;
use crate::mechanics::{Answers, Scene};
use crate::operation::{Kind, ObjectKind, Operation};
use crate::plan::Way;
use crate::policy::{Policy, judge};
use crate::recipes;

/// The rule that says that a statement fails.
const FAILS: &str = "failing-statement";

/// What every step of a plan has, whatever the change itself lacks.
const PRECAUTIONS: &[&str] = &["no-lock-timeout"];

/// The recipe that gives a statement a transaction of its own.
const OWN_TRANSACTION: &str = "own-transaction";

/// What a schema has before it has again in what takes its place; and a wait that the step's lock timeout ends.
const OF_THE_SCHEMA: &[&str] = &[
    "disabled-autovacuum",
    "duplicate-index",
    "many-tables-locked",
    "mismatched-key",
    "open-definer",
    "public-grant",
    // Whether a release that is live leaves a column empty is asked of the releases.
    "refused-null",
    "unindexed-foreign-key",
];

/// The steps that the server would refuse, unless it refuses the change itself.
pub(super) fn failures(change: &Change<'_>, course: &Course<'_>) -> Vec<Objection> {
    if change.broken.contains(FAILS) {
        return Vec::new();
    }
    let failing = |ran: &Ran<'_>| -> Vec<Objection> {
        let hazards = ran.checked.hazards.iter().filter(|it| it.rule == FAILS);
        hazards.map(|it| objection(ran, Of::Fails, FAILS, it.message.clone())).collect()
    };
    course.steps.iter().flat_map(failing).collect()
}

/// The rules that a step breaks without an allowance, beside what the change itself breaks and nothing cures.
pub(super) fn rules(change: &Change<'_>, course: &Course<'_>) -> Vec<Objection> {
    let breaking = |ran: &Ran<'_>| -> Vec<Objection> {
        let judged = judge(&ran.text, &ran.checked, &Policy::default());
        let mut found = Vec::new();
        for hazard in judged.hazards.iter().filter(|it| it.rule != FAILS && !OF_THE_SCHEMA.contains(&it.rule))
        {
            let own = change.broken.contains(hazard.rule)
                && !PRECAUTIONS.contains(&hazard.rule)
                && !is_curable(change, hazard, ran);
            let needed = PRECAUTIONS.contains(&hazard.rule);
            if !own && (needed || !is_about_new(change, course, hazard, ran)) {
                let words = format!("it breaks the rule {}: {}", hazard.rule, hazard.message);
                found.push(objection(ran, Of::Rule, hazard.rule, words));
            }
        }
        found
    };
    course.steps.iter().flat_map(breaking).collect()
}

/// Whether it is about something that the plan itself made: no release uses it yet.
fn is_about_new(change: &Change<'_>, course: &Course<'_>, hazard: &Hazard, ran: &Ran<'_>) -> bool {
    let statement = ran.checked.statements.get(hazard.statement);
    let mut operations =
        statement.into_iter().flat_map(|it| &it.operations).filter(|it| !it.changes_rows()).peekable();
    let was_there = |name: &RelationName| {
        change.before.relation(name).is_some() || change.before.types().any(|(it, _)| it == name)
    };
    let told = Told { releases: &course.releases[..ran.out], dialect: change.target.dialect };
    let is_new = |operation: &Operation| {
        if let Kind::Drop(drop) = &operation.kind
            && let (ObjectKind::Trigger, Some(table), Some(name)) =
                (drop.object, &drop.on_table, drop.names.first())
        {
            // Of its own, or of a table that goes as well.
            let table = ran.before.resolve(table);
            let had = change
                .before
                .table(&table)
                .is_some_and(|it| it.triggers.iter().any(|it| it.name == name.name));
            return !had || change.after.relation(&table).is_none();
        }
        let names = operation.relations(change.target.dialect).unwrap_or_default();
        let first = operation.relation().or(names.first()).map(|it| ran.before.resolve(it));
        first.is_some_and(|it| !was_there(&it) && !told.names(&it.display(change.target.dialect)))
    };
    operations.peek().is_some() && operations.all(is_new)
}

/// Whether a recipe that the hazard names can carry out here what it points at.
fn is_curable(change: &Change<'_>, hazard: &Hazard, ran: &Ran<'_>) -> bool {
    let answers = Answers::new();
    let scene = Scene {
        text: &ran.text,
        back: "",
        target: change.target,
        catalog: &ran.before,
        batch_rows: 1_000,
        pause_lag_seconds: 30,
        resume_lag_seconds: 5,
        answers: &answers,
    };
    let operations = ran.checked.statements.get(hazard.statement).map(|it| it.operations.as_slice());
    let pointed_at = operations.unwrap_or_default().iter().filter(|it| it.span.contains(hazard.span));
    let pointed_at: Vec<&Operation> = pointed_at.collect();
    let named =
        hazard.recipes.iter().filter(|it| **it != OWN_TRANSACTION).filter_map(|id| recipes::by_id(id));
    named.into_iter().any(|recipe| {
        let possible = |it: &&Operation| {
            recipe.applies(it, scene.dialect())
                && recipes::write(recipe, &[*it], &scene, Way::Triggers).is_ok()
        };
        pointed_at.iter().any(possible)
    })
}

fn objection(ran: &Ran<'_>, kind: Of, rule: &str, words: String) -> Objection {
    Objection { step: Some(ran.label.clone()), kind, subject: format!("{rule} of {}", ran.label.1), words }
}
