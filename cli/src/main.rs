//! The one binary: it parses what was asked and calls the rooms that know.

fn main() {}
