//! Recipes: how a hazardous change becomes safe steps; one `.rs` and one `.md` each.
//!
//! A recipe gives phases with the SQL that goes up and down, the releases between, criteria and rollback. It knows
//! nothing of frameworks: files are spelled from its steps elsewhere.

mod add_column_in_steps;
mod add_enum_value;
mod add_required_column;
mod attach_partition;
mod batched_change;
mod change_type_under_views;
mod check_constraint;
mod check_then_not_null;
mod concurrent_index;
mod detach_partition;
mod drop_column;
mod drop_default;
mod drop_table;
mod drop_view;
mod expand_contract_rename;
mod expand_contract_type;
mod foreign_key;
mod group;
mod merge_rows;
mod move_columns;
mod own_transaction;
mod partition_table;
mod rebuild_table;
mod refresh_beside_readers;
mod rename_behind_stand_in;
mod rename_behind_view;
mod rename_enum_value;
mod repack_table;
mod replace_columns;
mod replace_constraint;
mod replace_enum;
mod replace_index;
mod replace_view;
mod reshape_view;
mod split_table;
mod swap_table;
mod unique_from_index;
mod window_only;

use crate::dialect::Dialect;
use crate::mechanics::{Phases, Refusal, Scene, window};
use crate::operation::{Kind, Operation};
use crate::plan::{Act, Phase, Way};

pub use group::{Group, group, groups, in_order};
pub use rename_behind_view::{drop_view, rights_of, view_again};

/// How one kind of change is carried out.
#[derive(Debug)]
pub struct Recipe {
    /// Its name.
    pub id: &'static str,
    /// The engines that its steps are written for.
    pub dialects: &'static [Dialect],
    /// Its page.
    pub page: &'static str,
    /// The ways that it knows, beside a window.
    pub ways: &'static [Way],
    /// What it takes over, and what it makes of it.
    pub form: Form,
}

/// What a recipe takes over.
#[derive(Debug, Clone, Copy)]
pub enum Form {
    /// One operation.
    One {
        /// Whether an operation is of its kind.
        applies: fn(&Operation) -> bool,
        /// The phases, or why there are none here.
        write: fn(&Operation, &Scene<'_>, Way) -> Phases,
    },
    /// One operation, or several of its kind that are carried out at once.
    Each {
        /// Whether an operation is of its kind.
        applies: fn(&Operation) -> bool,
        /// Which of these operations are carried out with the first; `None` where no other is.
        claim: fn(&[&Operation], &Scene<'_>) -> Option<Vec<usize>>,
        /// The phases of one or several, or why there are none here.
        write: fn(&[&Operation], &Scene<'_>, Way) -> Phases,
    },
    /// Several operations of one migration, which mean one change together.
    Several {
        /// Which of these operations it takes, the first always among them; `None` where they mean something else. The scene is the one
        /// before the first.
        claim: fn(&[&Operation], &Scene<'_>) -> Option<Vec<usize>>,
        /// The phases of those it took, or why there are none here.
        write: fn(&[&Operation], &Scene<'_>, Way) -> Phases,
    },
}

impl Recipe {
    /// Whether it takes over this operation alone.
    pub fn applies(&self, operation: &Operation, dialect: Dialect) -> bool {
        let of_its_kind = match self.form {
            Form::One { applies, .. } | Form::Each { applies, .. } => applies(operation),
            Form::Several { .. } => false,
        };
        of_its_kind && self.dialects.contains(&dialect)
    }
}

/// All recipes.
pub static RECIPES: &[&Recipe] = &[
    &expand_contract_rename::RECIPE,
    &expand_contract_type::RECIPE,
    &check_then_not_null::RECIPE,
    &foreign_key::RECIPE,
    &unique_from_index::RECIPE,
    &concurrent_index::RECIPE,
    &drop_column::RECIPE,
    &check_constraint::RECIPE,
    &rename_behind_view::RECIPE,
    &rename_behind_stand_in::RECIPE,
    &drop_table::RECIPE,
    &drop_view::RECIPE,
    &add_column_in_steps::RECIPE,
    &swap_table::RECIPE,
    &repack_table::RECIPE,
    &window_only::RECIPE,
    &add_enum_value::RECIPE,
    &rename_enum_value::RECIPE,
    &attach_partition::RECIPE,
    &detach_partition::RECIPE,
    &batched_change::RECIPE,
    &refresh_beside_readers::RECIPE,
    &own_transaction::RECIPE,
    &replace_columns::RECIPE,
    &replace_enum::RECIPE,
    &change_type_under_views::RECIPE,
    &replace_view::RECIPE,
    &reshape_view::RECIPE,
    &move_columns::RECIPE,
    &split_table::RECIPE,
    &partition_table::RECIPE,
    &rebuild_table::RECIPE,
    &merge_rows::RECIPE,
    &drop_default::RECIPE,
    &add_required_column::RECIPE,
    &replace_index::RECIPE,
    &replace_constraint::RECIPE,
];

/// The recipe with this name.
pub fn by_id(id: &str) -> Option<&'static Recipe> {
    RECIPES.iter().copied().find(|recipe| recipe.id == id)
}

/// The recipe for an operation, if there is one for its kind.
pub fn for_operation(operation: &Operation, dialect: Dialect) -> Option<&'static Recipe> {
    RECIPES.iter().copied().find(|recipe| recipe.applies(operation, dialect))
}

/// The phases of a change carried out in a way: of one operation, or of all those that a recipe claims together.
///
/// # Errors
/// [`Refusal`] where that is not possible here.
pub fn write(recipe: &Recipe, operations: &[&Operation], scene: &Scene<'_>, way: Way) -> Phases {
    if way == Way::Window {
        return window::phases(operations, scene);
    }
    let known = recipe.ways.contains(&way);
    let own = if known { way } else { recipe.ways[0] };
    let phases = match (recipe.form, operations) {
        (Form::One { write, .. }, [operation]) => write(operation, scene, own),
        (Form::One { .. }, _) => Err(Refusal::new(format!("{} takes one operation", recipe.id))),
        (Form::Each { write, .. } | Form::Several { write, .. }, _) => write(operations, scene, own),
    }?;
    // A recipe that needs no dual write is the same in every way.
    if known || way != Way::Application || !keep_in_step(&phases) {
        return Ok(phases);
    }
    Err(Refusal::new(format!(
        "old and new have the same name in the end, so no release can write both by their names: {} keeps them in step by triggers only (--strategy \
         database-triggers)",
        recipe.id
    )))
}

/// Whether triggers keep old and new in step.
pub fn keep_in_step(phases: &[Phase]) -> bool {
    phases
        .iter()
        .flat_map(Phase::migrations)
        .flat_map(|step| &step.up)
        .any(|it| matches!(&it.act, Act::Operation(kind) if matches!(**kind, Kind::CreateTrigger(_))))
}

#[cfg(test)]
mod tests;
