//! A view that shows other columns: the new one beside the old one, until no release reads what goes.

use crate::catalog::{RelationName, View};
use crate::dialect::Dialect;
use crate::engine::Count;
use crate::hazards::compatibility::{dropped_view, reshaped_view};
use crate::mechanics::Refusal;
use crate::mechanics::make;
use crate::mechanics::scene::{Scene, name_of};
use crate::operation::{CreateView, Kind, ObjectKind, Operation};
use crate::plan::{Criterion, Phase, PhaseKind, ReleaseStep, Statement, Step, Way};

use super::rename_behind_view::rights_of;
use super::{Form, Recipe};

pub(super) static RECIPE: Recipe = Recipe {
    id: "replace-view",
    dialects: &[Dialect::Postgres],
    page: include_str!("replace_view.md"),
    ways: &[Way::View],
    form: Form::Several { claim, write },
};

/// The view that is dropped by the first operation and made again by another, with its place.
fn parts<'a>(
    operations: &[&'a Operation],
    scene: &Scene<'_>,
) -> Option<(RelationName, usize, &'a CreateView)> {
    let Kind::Drop(drop) = &operations.first()?.kind else { return None };
    if drop.object != ObjectKind::View || drop.cascade {
        return None;
    }
    let [name] = drop.names.as_slice() else { return None };
    let name = scene.resolve(name);
    let again = |(at, operation): (usize, &&'a Operation)| match &operation.kind {
        Kind::CreateView(view)
            if !view.materialized && !view.temporary && scene.resolve(&view.name) == name =>
        {
            Some((at, &**view))
        }
        _ => None,
    };
    let (at, view) = operations.iter().enumerate().skip(1).find_map(again)?;
    Some((name, at, view))
}

fn claim(operations: &[&Operation], scene: &Scene<'_>) -> Option<Vec<usize>> {
    let (name, at, _) = parts(operations, scene)?;
    scene.catalog.view(&name).filter(|view| !view.materialized)?;
    Some(vec![0, at])
}

fn write(operations: &[&Operation], scene: &Scene<'_>, _: Way) -> Result<Vec<Phase>, Refusal> {
    let found =
        parts(operations, scene).and_then(|(name, _, new)| Some((scene.catalog.view(&name)?, name, new)));
    let Some((old, name, new)) = found else { return Err(Refusal::new("it makes no view again")) };
    phases(scene, &name, old, new)
}

/// The new view beside the old one, then in its place.
///
/// # Errors
/// [`Refusal`] where what the view shows is not certain, or another view reads it.
pub(super) fn phases(
    scene: &Scene<'_>,
    name: &RelationName,
    old: &View,
    new: &CreateView,
) -> Result<Vec<Phase>, Refusal> {
    if old.stale || scene.catalog.relation(name).is_some_and(|it| it.uncertain) {
        return Err(Refusal::new(format!(
            "a column of {}, or one that it reads, has another name than when it was made: what it shows now is not certain. Make it again as it is first, by CREATE OR REPLACE VIEW in a migration of its own",
            name.display(scene.dialect())
        )));
    }
    if let Some((reader, _)) = scene.catalog.views_on(name).first() {
        return Err(Refusal::new(format!(
            "the view {} reads {}: drop it in front of this, and make it again behind it",
            reader.display(scene.dialect()),
            name.display(scene.dialect())
        )));
    }
    let beside = RelationName { schema: name.schema.clone(), name: name_of(&[&name.name, "next"]).into() };
    if scene.catalog.relation(&beside).is_some() {
        return Err(Refusal::new(format!("there is a {} already", beside.name)));
    }
    let change = Change { scene, name, beside: &beside, old, new };
    Ok(vec![change.expand(), change.cutover(), change.contract()])
}

struct Change<'a> {
    scene: &'a Scene<'a>,
    name: &'a RelationName,
    beside: &'a RelationName,
    old: &'a View,
    new: &'a CreateView,
}

impl Change<'_> {
    fn create(&self, name: &RelationName, head: &str, query: &str) -> Statement {
        make::create_view(self.scene.name(name), head, query)
    }

    fn drop(&self, name: &RelationName) -> Statement {
        make::drop(ObjectKind::View, self.scene.name(name))
    }

    fn create_new(&self, name: &RelationName) -> Statement {
        self.create(name, &self.new.head, &self.new.query.text)
    }

    fn shown(&self) -> (String, String) {
        (self.name.display(self.scene.dialect()), self.beside.display(self.scene.dialect()))
    }

    fn expand(&self) -> Phase {
        let (old, beside) = self.shown();
        let title = format!("make {beside} beside {old}, as it will be");
        let (mut up, down) = (vec![self.create_new(self.beside)], self.drop(self.beside));
        up.extend(rights_of(self.scene, self.name, self.beside));
        let name = name_of(&[&self.beside.name, "expand"]);
        let step = self.scene.in_transaction(name, title.clone(), up, vec![down]);
        Phase::new(PhaseKind::Expand, title, vec![Step::Sql(step)])
            .leave_when(Criterion::counts_nothing(
                format!("who may use {old} may use {beside}: GRANT what is missing"),
                self.scene.count(&Count::MissingGrants { of: self.name, on: self.beside }),
            ))
            .undone_by("the down migration drops it again: nobody reads it yet", "an error that names it")
    }

    fn cutover(&self) -> Phase {
        let (old, beside) = self.shown();
        let title = format!("{old} shows what {beside} does");
        let because = "the release that reads the one beside it is out";
        let drop = self.drop(self.name).allowing(&reshaped_view::RULE, because);
        let rights = rights_of(self.scene, self.name, self.name);
        let up = [vec![drop, self.create_new(self.name)], rights.clone()].concat();
        let old_view = self.create(self.name, &self.old.head, &self.old.query.text);
        let comment = self.scene.catalog.details(self.name).and_then(|it| {
            crate::mechanics::details::comment(it, ObjectKind::View, &self.scene.name(self.name), None)
        });
        let down = [vec![self.drop(self.name), old_view], rights, comment.into_iter().collect()].concat();
        let step = self.scene.in_transaction(name_of(&[&self.name.name, "replace"]), title.clone(), up, down);
        let release = |must: String| Step::Release(ReleaseStep { must: vec![must] });
        let steps = vec![
            release(format!("read {beside}, and stop reading {old}")),
            Step::Sql(step),
            release(format!("read {old}, and stop reading {beside}")),
        ];
        Phase::new(PhaseKind::Cutover, title, steps)
            .leave_when(Criterion::counts_nothing(
                format!("who may use {beside} may use {old}: its rights went with it, GRANT what is missing"),
                self.scene.count(&Count::MissingGrants { of: self.beside, on: self.name }),
            ))
            .undone_by(
                "roll the application back to the one beside it; the down migration makes the old view again",
                "errors over the baseline",
            )
    }

    fn contract(&self) -> Phase {
        let (old, beside) = self.shown();
        let title = format!("drop {beside} when nobody reads it any more");
        let because = format!("the release that reads {old} again is out");
        let up = vec![self.drop(self.beside).allowing(&dropped_view::RULE, because)];
        let name = name_of(&[&self.beside.name, "contract"]);
        let step = self.scene.in_transaction(name, title.clone(), up, vec![self.create_new(self.beside)]);
        Phase::new(PhaseKind::Contract, title, vec![Step::Sql(step)])
            .enter_when(Criterion::of_people(format!(
                "no release that reads {beside} has run for one full release cycle"
            )))
            .undone_by("the down migration makes it again", "a program that still reads it")
    }
}
