//! Something that has a new name, with something under the old one until nobody says it any more.

use crate::hazards::compatibility::dropped_view;
use crate::operation::{Kind, ObjectKind};
use crate::plan::{Criterion, Phase, PhaseKind, ReleaseStep, Statement, Step};

use super::scene::{Scene, name_of};

/// An object and what stands in for it.
pub(crate) struct StandIn {
    /// What stands in, in one word: `view`.
    pub word: &'static str,
    /// The old and the new name, in words.
    pub names: (String, String),
    /// The last parts of both, for the names of migrations.
    pub stem: (String, String),
    /// Gives the object its new name.
    pub rename: Vec<Statement>,
    /// Gives it the old one again.
    pub rename_back: Vec<Statement>,
    /// Puts something under the old name.
    pub make: Vec<Statement>,
    /// Takes it away, when nobody may say the old name.
    pub drop: Vec<Statement>,
    /// What does not work on it.
    pub limits: String,
    /// What must be so when it is there.
    pub exit: Vec<Criterion>,
    /// What must be so before it goes.
    pub unused: Vec<Criterion>,
}

impl StandIn {
    /// The name changes, the releases change over, the stand-in goes.
    pub fn phases(&self, scene: &Scene<'_>) -> Vec<Phase> {
        vec![self.expand(scene), self.cutover(), self.contract(scene)]
    }

    fn expand(&self, scene: &Scene<'_>) -> Phase {
        let ((old, new), (from, to), word) = (&self.names, &self.stem, self.word);
        let up = [self.rename.clone(), self.make.clone()].concat();
        let down = [self.drop.clone(), self.rename_back.clone()].concat();
        let title =
            format!("rename {old} to {new}, with a {word} under the old name in the same transaction");
        let step = scene.in_transaction(name_of(&[from, "to", to]), title.clone(), up, down);
        let mut phase = Phase::new(PhaseKind::Expand, title, vec![Step::Sql(step)]).undone_by(
            format!("the down migration drops the {word} and gives back the old name"),
            format!("an error that names the {word}: {}", self.limits),
        );
        phase.exit.clone_from(&self.exit);
        phase
    }

    fn cutover(&self) -> Phase {
        let (old, new) = &self.names;
        let must = vec![format!("say {new} wherever it says {old}, in reads and in writes")];
        Phase::new(
            PhaseKind::Cutover,
            format!("release the application that says {new}"),
            vec![Step::Release(ReleaseStep { must })],
        )
        .leave_when(Criterion::of_people(format!("no instance of a release that says {old} is running")))
        .undone_by(
            format!("roll the application back: the {} still stands", self.word),
            "errors over the baseline",
        )
    }

    fn contract(&self, scene: &Scene<'_>) -> Phase {
        let (old, _) = &self.names;
        let title = format!("drop the {} {old} when nobody says it any more", self.word);
        let name = name_of(&[&self.stem.0, self.word, "contract"]);
        let because = format!("the release that uses {old} is out");
        let is_view = |it: &Statement| {
            it.operations().iter().any(|it| matches!(it, Kind::Drop(drop) if drop.object == ObjectKind::View))
        };
        let allowed = |it: &Statement| match is_view(it) {
            true => it.clone().allowing(&dropped_view::RULE, &*because),
            false => it.clone(),
        };
        let up = self.drop.iter().map(allowed).collect();
        let step = scene.in_transaction(name, title.clone(), up, self.make.clone());
        let mut phase = Phase::new(PhaseKind::Contract, title, vec![Step::Sql(step)])
            .enter_when(Criterion::of_people(format!(
                "no release that says {old} has run for one full release cycle"
            )))
            .undone_by(
                format!("the down migration makes the {} again", self.word),
                "a program that still uses the old name",
            );
        phase.entry.extend(self.unused.iter().cloned());
        phase
    }
}
