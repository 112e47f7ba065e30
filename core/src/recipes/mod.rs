//! Recipes: how one hazardous operation becomes safe steps; one `.rs` and one `.md` each.
//!
//! A recipe gives phases with the SQL that goes up and down, the releases between, criteria and rollback. It knows
//! nothing of frameworks: files are spelled from its steps elsewhere.

mod add_column;
mod backfill;
mod batched_change;
mod batches;
mod carried;
mod change_key;
mod change_type;
mod check_constraint;
mod check_then_not_null;
mod concurrent_index;
mod drop_column;
mod drop_table;
mod foreign_key;
mod mirror;
mod own_transaction;
mod partitioned;
mod partitioned_key;
mod referencing;
mod refresh_view;
mod rename_column;
mod rename_table;
mod scene;
mod swap_table;
mod sync;
mod twin;
mod twin_checks;
mod unique_from_index;
mod view;
mod window;
mod window_only;

use crate::operation::Operation;
use crate::plan::{Phase, Way};

pub use scene::{Scene, alone, inverse};

/// How one kind of operation is carried out.
#[derive(Debug)]
pub struct Recipe {
    /// Its name.
    pub id: &'static str,
    /// Its page.
    pub page: &'static str,
    /// The ways that it knows, beside a window.
    pub ways: &'static [Way],
    /// Whether an operation is of its kind.
    pub applies: fn(&Operation) -> bool,
    /// The phases, or why there are none here.
    pub write: fn(&Operation, &Scene<'_>, Way) -> Result<Vec<Phase>, Refusal>,
}

/// Why a recipe is not possible here, and what to do instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// In the user's words.
    pub reason: String,
}

impl Refusal {
    fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

/// All recipes.
pub static RECIPES: &[&Recipe] = &[
    &rename_column::RECIPE,
    &change_type::RECIPE,
    &check_then_not_null::RECIPE,
    &foreign_key::RECIPE,
    &unique_from_index::RECIPE,
    &concurrent_index::RECIPE,
    &drop_column::RECIPE,
    &check_constraint::RECIPE,
    &rename_table::RECIPE,
    &drop_table::RECIPE,
    &add_column::RECIPE,
    &swap_table::RECIPE,
    &window_only::RECIPE,
    &partitioned::ATTACH,
    &partitioned::DETACH,
    &batched_change::RECIPE,
    &refresh_view::RECIPE,
    &own_transaction::RECIPE,
];

/// The recipe with this name.
pub fn by_id(id: &str) -> Option<&'static Recipe> {
    RECIPES.iter().copied().find(|recipe| recipe.id == id)
}

/// The recipe for an operation, if there is one for its kind.
pub fn for_operation(operation: &Operation) -> Option<&'static Recipe> {
    RECIPES.iter().copied().find(|recipe| (recipe.applies)(operation))
}

/// The phases of an operation carried out in a way.
///
/// # Errors
/// [`Refusal`] where that is not possible here.
pub fn write(
    recipe: &Recipe,
    operation: &Operation,
    scene: &Scene<'_>,
    way: Way,
) -> Result<Vec<Phase>, Refusal> {
    if way == Way::Window {
        return Ok(window::phases(operation, scene));
    }
    // A recipe that needs no dual write is the same in both ways.
    let way = if recipe.ways.contains(&way) { way } else { recipe.ways[0] };
    (recipe.write)(operation, scene, way)
}

#[cfg(test)]
mod tests;
