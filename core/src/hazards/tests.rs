//! The pages of the rules, run: carets, fixes and quiet examples.
