//! A new migration sorts before one that has run.

use crate::dialect::Dialect;
use crate::framework::Late;
use crate::hazards::{Deploy, Found, Hazard, Rule, Severity, Trigger};
use crate::text::Span;

/// A new migration sorts before one that has run.
pub(crate) static RULE: Rule = Rule {
    id: "late-migration",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("late_migration.md"),
    trigger: Trigger::Deploy(check),
};

fn check(deploy: &Deploy<'_>) -> Vec<Found> {
    let Some(framework) = deploy.framework else { return Vec::new() };
    let title = framework.title;
    let late = deploy.migrations.iter().enumerate().filter_map(|(number, it)| Some((number, it, it.behind?)));
    let hazard = |behind: &str| match framework.late {
        Late::Runs | Late::Unknown => None,
        Late::Skips => Some(format!(
            "it sorts before {behind}, which has run: {title} never runs it, and says nothing; give it a later version"
        )),
        Late::Refuses { unless } => {
            let unless = unless.map(|it| format!(" unless {it}")).unwrap_or_default();
            Some(format!(
                "it sorts before {behind}, which has run: {title} refuses to go on{unless}; give it a later version"
            ))
        }
    };
    let found = late.filter_map(|(migration, it, behind)| {
        let first = it.operations().next().map_or(Span::at(0), |it| it.span);
        Some(Found { migration, hazard: Hazard::new(&RULE, first, hazard(behind)?) })
    });
    found.collect()
}
