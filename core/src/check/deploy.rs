//! The migrations of one deploy, looked at together.

use super::{Checked, Part, Run};
use crate::catalog::{Catalog, Session};
use crate::dialect::Target;
use crate::framework::Framework;
use crate::hazards::{self, Deploy, Found, Hazard, Pending, PendingStatement};
use crate::statement::Script;

/// A migration of a deploy, checked where it stands.
#[derive(Debug, Clone)]
pub struct Member<'a> {
    /// Its name in messages: that of its file.
    pub name: &'a str,
    /// Its whole text.
    pub text: &'a str,
    /// A migration that has run and sorts behind it.
    pub behind: Option<&'a str>,
    /// The parts that go up.
    pub parts: Vec<&'a Checked>,
}

/// The hazards of migrations that run in one deploy, in the order in which they run. `before` is the schema before the
/// first of them; a hazard's statement is counted through the parts of its migration.
pub fn check_deploy(
    members: &[Member<'_>],
    framework: Option<&'static Framework>,
    target: &Target,
    before: &Catalog,
) -> Vec<Found> {
    let migrations: Vec<Pending<'_>> = members.iter().map(|it| pending(it, before)).collect();
    let mut found = hazards::check_deploy(&Deploy { before, framework, migrations }, target.dialect);
    if framework.is_some_and(|it| it.together) {
        found.extend(in_one_transaction(members, target, before));
    }
    found.into_iter().map(|it| Found { hazard: numbered(it.hazard, &members[it.migration]), ..it }).collect()
}

/// What is found besides where all migrations of a deploy run in one transaction.
fn in_one_transaction(members: &[Member<'_>], target: &Target, before: &Catalog) -> Vec<Found> {
    let mut session = Session::in_transaction();
    let mut catalog = before.clone();
    let mut found = Vec::new();
    for (migration, member) in members.iter().enumerate() {
        for own in &member.parts {
            let part = Part { text: member.text, span: own.span, transaction: own.transaction };
            let script = Script::read_part(part.text, part.span, target.dialect);
            catalog.start_migration();
            let mut run = Run::new(part, target, catalog, &script);
            run.session = session;
            let (checked, left) = run.finish_with();
            (session, catalog) = (left, checked.after);
            let is_new =
                |it: &Hazard| own.hazards.iter().all(|own| (own.rule, own.span) != (it.rule, it.span));
            found
                .extend(checked.hazards.into_iter().filter(is_new).map(|hazard| Found { migration, hazard }));
        }
    }
    found
}

fn pending<'a>(member: &Member<'a>, before: &'a Catalog) -> Pending<'a> {
    let statements = member.parts.iter().flat_map(|part| &part.statements);
    let statements = statements.map(|it| PendingStatement { operations: &it.operations, effect: &it.effect });
    Pending {
        name: member.name,
        text: member.text,
        behind: member.behind,
        comments: member.parts.iter().flat_map(|part| part.comments.iter().copied()).collect(),
        statements: statements.collect(),
        after: member.parts.last().map_or(before, |part| &part.after),
    }
}

fn numbered(hazard: Hazard, member: &Member<'_>) -> Hazard {
    let mut statements = member.parts.iter().flat_map(|part| &part.statements);
    let statement = statements.position(|it| it.span.contains(hazard.span)).unwrap_or(0);
    Hazard { statement, ..hazard }
}
