//! The pages of the recipes, run.
