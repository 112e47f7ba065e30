//! Answers on stdout.

use std::io::{BufWriter, ErrorKind, IsTerminal, Write};

use serde::Serialize;

/// Prints JSON: with line breaks for people at a terminal, in one line for programs, whose answers are long. A reader that
/// went away is no failure.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    let out = std::io::stdout().lock();
    let people = out.is_terminal();
    let mut out = BufWriter::with_capacity(1 << 16, out);
    let answer = if people {
        serde_json::to_writer_pretty(&mut out, value)
    } else {
        serde_json::to_writer(&mut out, value)
    };
    match answer {
        Err(error) if !error.is_io() => return Err(error.into()),
        Err(error) => written(Err(error.into())),
        Ok(()) => written(writeln!(out).and_then(|()| out.flush())),
    }
    Ok(())
}

/// Prints a text with a final newline.
pub fn text_line(text: &str) {
    let mut out = std::io::stdout().lock();
    written(writeln!(out, "{text}"));
}

/// Prints a text that has its line breaks.
pub fn text(text: &str) {
    let mut out = std::io::stdout().lock();
    written(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

/// Whether text on standard output is coloured: `NO_COLOR` forbids it, `CLICOLOR_FORCE` asks for it, else a terminal decides.
pub fn is_colored() -> bool {
    !anstyle_query::no_color()
        && (is_forced()
            || anstyle_query::clicolor().unwrap_or(true)
                && anstyle_query::term_supports_color()
                && std::io::stdout().is_terminal())
}

fn is_forced() -> bool {
    std::env::var_os("CLICOLOR_FORCE").is_some_and(|it| !it.is_empty() && it != "0")
}

/// How wide text on standard output may be.
pub fn width() -> usize {
    const USUAL: usize = 140;
    const LEAST: usize = 60;
    terminal_size::terminal_size().map_or(USUAL, |(width, _)| usize::from(width.0).max(LEAST))
}

/// An answer that could not be written is none: a full disk must not look like a pass. Called from everywhere, so that it ends
/// the process instead of handing an error up.
fn written(result: std::io::Result<()>) {
    let Err(error) = result else { return };
    if error.kind() != ErrorKind::BrokenPipe {
        eprintln!("lockkeeper: the answer cannot be written: {error}");
        std::process::exit(3);
    }
}
