//! Recipes: how a hazardous change becomes safe steps; one `.rs` and one `.md` each.
//!
//! A recipe gives phases with the SQL that goes up and down, the releases between, criteria and rollback. It knows
//! nothing of frameworks: files are spelled from its steps elsewhere.

mod add_column;
mod add_required_column;
mod add_enum_value;
mod anew;
mod assigned;
mod backfill;
mod batched_change;
mod carried;
mod change_key;
mod change_type;
mod change_type_under_views;
mod check_constraint;
mod check_then_not_null;
mod concurrent_index;
mod copied;
mod derivation;
mod details;
mod drop_column;
mod drop_default;
mod drop_table;
mod drop_view;
mod enum_type;
mod fill;
mod foreign_key;
mod group;
mod handover;
mod inverse;
mod join;
mod link;
mod make;
mod merge_rows;
mod mirror;
mod move_columns;
mod narrowing;
mod own_transaction;
mod partition_table;
mod partitioned;
mod partitioned_key;
mod referencing;
mod refresh_view;
mod relocation;
mod rename_column;
mod rename_object;
mod rename_table;
mod replace_index;
mod rename_enum_value;
mod replace_columns;
mod replace_constraint;
mod replace_enum;
mod replace_view;
mod scene;
mod second_table;
mod split_table;
mod succession;
mod succession_checks;
mod swap_table;
mod stand_in;
mod sync;
mod twin;
mod twin_checks;
mod unique_from_index;
mod view;
mod window;
mod window_only;

use crate::operation::{Kind, Operation};
use crate::plan::{Act, Phase, Way};

pub use group::{Group, group, groups, in_order};
pub use inverse::inverse;
pub use narrowing::Narrow;
pub use rename_table::{drop_view, rights_of, view_again};
pub use scene::{Answers, Scene, with_timeout};
pub use window::{Standing, in_window, written};

/// How one kind of change is carried out.
#[derive(Debug)]
pub struct Recipe {
    /// Its name.
    pub id: &'static str,
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
    pub fn applies(&self, operation: &Operation) -> bool {
        match self.form {
            Form::One { applies, .. } | Form::Each { applies, .. } => applies(operation),
            Form::Several { .. } => false,
        }
    }
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

/// What a recipe makes of a change.
pub type Phases = Result<Vec<Phase>, Refusal>;

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
    &rename_object::RECIPE,
    &drop_table::RECIPE,
    &drop_view::RECIPE,
    &add_column::RECIPE,
    &swap_table::RECIPE,
    &window_only::RECIPE,
    &add_enum_value::RECIPE,
    &rename_enum_value::RECIPE,
    &partitioned::ATTACH,
    &partitioned::DETACH,
    &batched_change::RECIPE,
    &refresh_view::RECIPE,
    &own_transaction::RECIPE,
    &replace_columns::RECIPE,
    &replace_enum::RECIPE,
    &change_type_under_views::RECIPE,
    &replace_view::RECIPE,
    &replace_view::IN_PLACE,
    &move_columns::RECIPE,
    &split_table::RECIPE,
    &partition_table::PARTITION,
    &partition_table::REBUILD,
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
pub fn for_operation(operation: &Operation) -> Option<&'static Recipe> {
    RECIPES.iter().copied().find(|recipe| recipe.applies(operation))
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
