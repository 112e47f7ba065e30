//! Operations of one migration that mean one change together.

use crate::catalog::Catalog;
use crate::check::Checked;
use crate::dialect::Name;
use crate::engine::effect::in_server_order;
use crate::mechanics::scene::{Scene, stands_apart};
use crate::operation::{Kind, Operation, TableAction};

use super::{Form, RECIPES, Recipe, swap_table};

/// So many operations are looked at for one change: in a dump of a schema most begin what might be one.
const FURTHEST: usize = 1_000;

/// Operations that one recipe takes over together.
#[derive(Debug, Clone)]
pub struct Group {
    /// The recipe.
    pub recipe: &'static Recipe,
    /// Their places among the operations that were given, in order; the first is 0.
    pub members: Vec<usize>,
}

/// The operations of a migration in the order in which the server carries them out.
pub fn in_order<'a>(parts: impl IntoIterator<Item = &'a Checked>) -> Vec<&'a Operation> {
    let statements = parts.into_iter().flat_map(|part| &part.statements);
    statements.flat_map(|statement| in_server_order(&statement.operations)).collect()
}

/// The groups of a migration, whose operations come in order. `scene` is the one before it.
pub fn groups(operations: &[&Operation], scene: &Scene<'_>) -> Vec<Group> {
    let several = |it: &&Operation| match &it.kind {
        Kind::Drop(_) | Kind::AlterObject(_) | Kind::CreateView(_) => true,
        Kind::AlterTable(alter) => match &alter.action {
            TableAction::SetNotNull { .. }
            | TableAction::DropDefault { .. }
            | TableAction::SetDefault { .. }
            | TableAction::DropConstraint { .. } => true,
            action => swap_table::is_shared(action),
        },
        _ => it.changes_rows(),
    };
    if operations.len() < 2 || !operations.iter().any(several) {
        return Vec::new();
    }
    let mut catalog: Catalog = scene.catalog.clone();
    catalog.start_migration();
    let mut found: Vec<Group> = Vec::new();
    // What no group has claimed yet, and the places of it.
    let mut ahead: Vec<&Operation> = operations.to_vec();
    let mut places: Vec<usize> = (0..operations.len()).collect();
    let mut first = 0;
    while first < ahead.len() {
        let end = ahead.len().min(first + FURTHEST);
        let Some(group) = group(&ahead[first..end], &Scene { catalog: &catalog, ..*scene }) else {
            catalog.apply(ahead[first]);
            first += 1;
            continue;
        };
        let members: Vec<usize> = group.members.iter().map(|at| places[first + at]).collect();
        members.iter().for_each(|at| catalog.apply(operations[*at]));
        for at in group.members.iter().rev() {
            ahead.remove(first + at);
            places.remove(first + at);
        }
        found.push(Group { members, ..group });
    }
    found
}

/// The group that begins with the first of `operations`, where there is one. `scene` is the one before it.
///
/// What stands between its members is carried out behind it, so nothing there may use what they use.
pub fn group(operations: &[&Operation], scene: &Scene<'_>) -> Option<Group> {
    let written = RECIPES.iter().filter(|it| it.dialects.contains(&scene.dialect()));
    let claimed = written.copied().find_map(|recipe| match recipe.form {
        Form::Each { claim, .. } | Form::Several { claim, .. } => {
            claim(operations, scene).map(|members| Group { recipe, members })
        }
        Form::One { .. } => None,
    })?;
    let dialect = scene.dialect();
    let members = claimed.members.iter().filter_map(|at| operations.get(*at));
    let used: Vec<Name> = members.filter_map(|it| it.relations(dialect)).flatten().collect();
    let last = *claimed.members.last()?;
    let mut between = (0..last).filter(|at| !claimed.members.contains(at)).map(|at| operations[at]);
    between.all(|it| stands_apart(it, &used, scene)).then_some(claimed)
}
