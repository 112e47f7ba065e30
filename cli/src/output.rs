//! Answers on stdout.

use std::io::Write;

use serde::Serialize;

/// Prints JSON. A reader that went away is no failure.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    text_line(&text);
    Ok(())
}

/// Prints a text with a final newline.
pub fn text_line(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}");
}
