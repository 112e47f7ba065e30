//! Rename or move a table or view: a view stands under the old name until nobody says it any more.

mod second_table;

use crate::catalog::{RelationKind, RelationName};
use crate::dialect::{Dialect, Name};
use crate::engine::{Capability, Count};
use crate::mechanics::make::{self, On};
use crate::mechanics::scene::Scene;
use crate::mechanics::stand_in::StandIn;
use crate::mechanics::{Phases, Refusal, details};
use crate::operation::{Kind, ObjectKind, Operation, RelationWord, TableAction};
use crate::plan::{Criterion, Statement, Way};

use super::{Form, Recipe};

pub(super) static RECIPE: Recipe = Recipe {
    id: "rename-behind-view",
    dialects: &[Dialect::Postgres],
    page: include_str!("rename_behind_view.md"),
    ways: &[Way::View, Way::Triggers],
    form: Form::One { applies: |operation| new_name(operation).is_some(), write },
};

/// The new schema or name of a table or view.
fn new_name(operation: &Operation) -> Option<(&Name, Moved<'_>)> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    if matches!(alter.relation, RelationWord::Sequence | RelationWord::Index) {
        return None;
    }
    match &alter.action {
        TableAction::RenameTo { to } => Some((&alter.table, Moved::Name(&to.name))),
        TableAction::SetSchema { schema } => Some((&alter.table, Moved::Schema(&schema.name))),
        _ => None,
    }
}

/// Where something goes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Moved<'a> {
    Name(&'a str),
    Schema(&'a str),
}

impl Moved<'_> {
    /// The whole name behind the move.
    pub fn of(self, old: &RelationName) -> RelationName {
        match self {
            Moved::Name(to) => RelationName { schema: old.schema.clone(), name: to.into() },
            Moved::Schema(to) => RelationName { schema: to.into(), name: old.name.clone() },
        }
    }
}

/// A relation under another name, or in another schema.
pub(super) fn renamed(
    scene: &Scene<'_>,
    word: RelationWord,
    from: &RelationName,
    to: &RelationName,
) -> Statement {
    let on = On { name: scene.name(from), word };
    match from.schema == to.schema {
        true => on.rename(&to.name),
        false => on.set_schema(&to.schema),
    }
}

fn write(operation: &Operation, scene: &Scene<'_>, way: Way) -> Phases {
    let Some((name, moved)) = new_name(operation) else { return Err(Refusal::new("it renames no table")) };
    let old = scene.resolve(name);
    let new = moved.of(&old);
    // What can only be read needs no second one.
    if way == Way::Triggers && scene.catalog.view(&old).is_none() {
        return second_table::phases(scene, &old, &new);
    }
    let word = refuse(scene, &old)?;
    let alter = |from: &RelationName, to: &RelationName| renamed(scene, word, from, to);
    let shown = |name: &RelationName| name.display(scene.dialect());
    let stand_in = StandIn {
        word: "view",
        names: (shown(&old), shown(&new)),
        stem: (old.name.to_string(), new.name.to_string()),
        rename: vec![alter(&old, &new)],
        rename_back: vec![alter(&new, &old)],
        make: std::iter::once(view(scene, &old, &new)).chain(rights_of(scene, &old, &old)).collect(),
        drop: vec![make::drop(ObjectKind::View, scene.name(&old))],
        limits: "TRUNCATE, LOCK TABLE, COPY … FROM, REFRESH and ALTER TABLE do not work on one".to_owned(),
        exit: vec![Criterion::counts_nothing(
            "who may use the table may use the view: GRANT what is missing",
            scene.count(&Count::MissingGrants { of: &new, on: &old }),
        )],
        unused: Vec::new(),
    };
    Ok(stand_in.phases(scene))
}

/// The statement that makes a view under the old name.
pub(super) fn view(scene: &Scene<'_>, old: &RelationName, new: &RelationName) -> Statement {
    // With the rights of who asks, so that privileges and policies are those of the table.
    let options = if is_invoker(scene) { "WITH (security_invoker = true)" } else { "" };
    // Each column by its name: where the view is made again on a way back, `*` might mean others, in another order.
    let columns = scene.catalog.table(old).filter(|it| !it.columns.is_empty());
    let columns = columns.map(|it| scene.list(it.columns.iter().map(|it| it.name.as_str())));
    let query = format!("SELECT {} FROM {}", columns.as_deref().unwrap_or("*"), scene.sql(new));
    make::create_view(scene.name(old), options, &query)
}

/// The statement that drops a view.
pub fn drop_view(scene: &Scene<'_>, name: &RelationName) -> Statement {
    make::drop(ObjectKind::View, scene.name(name))
}

/// A view as it is, with its rights and its comment, where it was dropped.
pub fn view_again(scene: &Scene<'_>, name: &RelationName) -> Vec<Statement> {
    let Some(view) = scene.catalog.view(name) else { return Vec::new() };
    let mut statements = vec![make::create_view(scene.name(name), &view.head, &view.query.text)];
    statements.extend(rights_of(scene, name, name));
    let comment = scene.catalog.details(name);
    statements.extend(comment.and_then(|it| details::comment(it, ObjectKind::View, &scene.name(name), None)));
    statements
}

/// The rights on a relation as the migrations show them, as statements about another one.
pub fn rights_of(scene: &Scene<'_>, of: &RelationName, on: &RelationName) -> Vec<Statement> {
    let Some(relation) = scene.catalog.relation(of) else { return Vec::new() };
    let name = scene.name(on);
    let mut statements = details::rights(&relation.details.rights, &name, None);
    if let RelationKind::Table(table) = &relation.kind {
        statements.extend(
            table.columns.iter().flat_map(|it| details::rights(&it.details.rights, &name, Some(&it.name))),
        );
    }
    statements
}

fn is_invoker(scene: &Scene<'_>) -> bool {
    scene.can(Capability::InvokerViews)
}

/// A view stands in only where it reads and writes as the relation does; the word for the relation.
///
/// # Errors
/// [`Refusal`] where it does not.
pub(super) fn refuse(scene: &Scene<'_>, old: &RelationName) -> Result<RelationWord, Refusal> {
    if let Some(RelationKind::View(view)) = scene.catalog.relation(old).map(|it| &it.kind) {
        return Ok(if view.materialized { RelationWord::MaterializedView } else { RelationWord::View });
    }
    let (state, shown) = (scene.table(old)?, old.display(scene.dialect()));
    if !is_invoker(scene) && !state.policies.is_empty() {
        return Err(Refusal::new(format!(
            "{shown} has row security policies, and before {} a view reads with its owner's rights: rename it in \
             a window",
            scene.since(Capability::InvokerViews)
        )));
    }
    if state.columns.is_empty() {
        return Err(Refusal::new(format!(
            "{shown} has no columns that are known: a view of it would show none"
        )));
    }
    Ok(RelationWord::Table)
}
