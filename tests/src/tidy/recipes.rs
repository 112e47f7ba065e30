//! A recipe is found by its id: its file has that name.

use super::{assert_none, with_extension};
use std::path::Path;

/// The room itself, what belongs to all recipes, and their tests.
const NO_RECIPES: &[&str] = &["mod", "group", "tests"];

/// What is wrong with a file directly in the room.
fn misnamed(path: &Path, text: &str) -> Option<String> {
    let name = path.file_stem()?.to_str()?;
    if path.parent()? != Path::new("core/src/recipes") || NO_RECIPES.contains(&name) {
        return None;
    }
    let ids: Vec<&str> = text.split("static ").skip(1).filter_map(id).collect();
    (ids != [name.replace('_', "-")]).then(|| format!("{} has the recipes {ids:?}", path.display()))
}

/// The id of the recipe that begins here.
fn id(text: &str) -> Option<&str> {
    let (head, rest) = text.split_once("id: \"")?;
    head.contains(": Recipe = Recipe {").then(|| rest.split('"').next())?
}

#[test]
fn files_are_named_as_their_recipes() {
    let files = with_extension(&["rs"]).into_iter();
    let found = files.filter_map(|(path, text)| misnamed(&path, &text));
    assert_none("a recipe has a file of its own, named as its id", found.collect());
}

#[test]
fn a_file_of_another_name_is_found() {
    let recipe = "pub(super) static RECIPE: Recipe = Recipe {\n    id: \"drop-view\",\n};\n";
    let check = |path: &str, text: &str| misnamed(Path::new(path), text).is_some();
    assert!(!check("core/src/recipes/drop_view.rs", recipe));
    assert!(check("core/src/recipes/views.rs", recipe));
    assert!(check("core/src/recipes/drop_view.rs", &recipe.repeat(2)));
    assert!(check("core/src/recipes/drop_view.rs", "fn steps() {}"));
    assert!(!check("core/src/recipes/drop_view/steps.rs", "fn steps() {}"));
    assert!(!check("core/src/recipes/group.rs", ""));
}
