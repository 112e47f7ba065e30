//! Answers on stdout.

use std::io::{BufWriter, IsTerminal, Write};

use serde::Serialize;

/// Prints JSON: with line breaks for people at a terminal, in one line for programs, whose answers are long. A reader that
/// went away is no failure.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    let out = std::io::stdout().lock();
    let people = out.is_terminal();
    let mut out = BufWriter::with_capacity(1 << 16, out);
    let written = if people {
        serde_json::to_writer_pretty(&mut out, value)
    } else {
        serde_json::to_writer(&mut out, value)
    };
    match written {
        Err(error) if !error.is_io() => return Err(error.into()),
        _ => {}
    }
    let _ = writeln!(out);
    let _ = out.flush();
    Ok(())
}

/// Prints a text with a final newline.
pub fn text_line(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}");
}
