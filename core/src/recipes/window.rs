//! The straight change, while nobody uses the application.

use crate::operation::Operation;
use crate::plan::{Criterion, Phase, PhaseKind, ReleaseStep, SqlStep, Step};

use super::scene::Scene;

/// One phase: the statements as they were written, between the end of one release and the start of the next.
pub(super) fn phases(operations: &[&Operation], scene: &Scene<'_>) -> Vec<Phase> {
    let up: String = operations.iter().map(|it| format!("{};\n", scene.statement_of(it))).collect();
    let step = SqlStep {
        name: "in_window".to_owned(),
        title: "the change as it was written".to_owned(),
        up,
        down: None,
        transactional: true,
        job: None,
    };
    let must = vec!["know only the schema after the change, and start when the window ends".to_owned()];
    vec![
        Phase::new(
            PhaseKind::Contract,
            "stop the application, change the schema, start the new release",
            vec![Step::Sql(step), Step::Release(ReleaseStep { must })],
        )
        .enter_when(Criterion::of_people("the window is announced and the application is stopped"))
        .undone_by("the down migration, then the release before", "the window is about to end"),
    ]
}
