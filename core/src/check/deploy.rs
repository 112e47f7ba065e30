//! The migrations of one deploy, looked at together.

use super::Checked;
use crate::catalog::Catalog;
use crate::dialect::Target;
use crate::hazards::{self, Deploy, Found, Hazard, Pending, PendingStatement};

/// A migration of a deploy, checked where it stands.
#[derive(Debug, Clone)]
pub struct Member<'a> {
    /// Its name in messages: that of its file.
    pub name: &'a str,
    /// Its whole text.
    pub text: &'a str,
    /// The parts that go up.
    pub parts: Vec<&'a Checked>,
}

/// The hazards of migrations that run in one deploy, in the order in which they run. `before` is the schema before the
/// first of them; a hazard's statement is counted through the parts of its migration.
pub fn check_deploy(members: &[Member<'_>], target: &Target, before: &Catalog) -> Vec<Found> {
    let migrations: Vec<Pending<'_>> = members.iter().map(|it| pending(it, before)).collect();
    let found = hazards::check_deploy(&Deploy { before, migrations }, target.dialect);
    found.into_iter().map(|it| Found { hazard: numbered(it.hazard, &members[it.migration]), ..it }).collect()
}

fn pending<'a>(member: &Member<'a>, before: &'a Catalog) -> Pending<'a> {
    let statements = member.parts.iter().flat_map(|part| &part.statements);
    let statements = statements.map(|it| PendingStatement { operations: &it.operations, effect: &it.effect });
    Pending {
        name: member.name,
        text: member.text,
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
