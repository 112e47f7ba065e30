//! Approval by a person at the terminal.
//!
//! `/dev/tty` is opened here and never standard input, so that `echo ... | lockkeeper approve` answers nothing. A program
//! that makes itself a terminal can still type: the tier is called attended, not proved.

use crate::digest::Digest;
use crate::ledger::Answer;
use std::fs::OpenOptions;
use std::io::{self, BufRead, BufReader, Write};

/// Longer than anything that means something.
const LONGEST: u64 = 1_000;

/// Why nobody could be asked.
#[derive(Debug, thiserror::Error)]
pub enum TerminalError {
    #[error(
        "there is no terminal to ask at ({0}). A person has to run this command in a terminal of their own; an approval \
         is good on the machine where it was given"
    )]
    NoTerminal(io::Error),
    #[error("the terminal went away: {0}")]
    Lost(io::Error),
}

/// Shows the text on the controlling terminal and waits for a line. What it means is for [`crate::ledger::Ledger::answer`].
pub fn ask(shown: &str, digest: &Digest) -> Result<Answer, TerminalError> {
    let terminal =
        OpenOptions::new().read(true).write(true).open("/dev/tty").map_err(TerminalError::NoTerminal)?;
    let keyboard = BufReader::new(terminal.try_clone().map_err(TerminalError::Lost)?);
    converse(keyboard, terminal, shown, digest).map_err(TerminalError::Lost)
}

/// Asks for one word at the controlling terminal: whether it was typed.
pub fn confirm(question: &str, word: &str) -> Result<bool, TerminalError> {
    let terminal =
        OpenOptions::new().read(true).write(true).open("/dev/tty").map_err(TerminalError::NoTerminal)?;
    let keyboard = BufReader::new(terminal.try_clone().map_err(TerminalError::Lost)?);
    let prompt = format!("{question}\nType {word}, or anything else to leave it: ");
    let typed = ask_line(keyboard, terminal, &prompt).map_err(TerminalError::Lost)?;
    Ok(typed.is_some_and(|typed| typed == word))
}

fn converse(keyboard: impl BufRead, screen: impl Write, shown: &str, digest: &Digest) -> io::Result<Answer> {
    let prompt = format!("\n{shown}\nType {} to approve, anything else to refuse: ", digest.short());
    Ok(ask_line(keyboard, screen, &prompt)?.map_or(Answer::Cancelled, Answer::Typed))
}

/// The line that was typed; nothing when the terminal was closed.
fn ask_line(keyboard: impl BufRead, mut screen: impl Write, prompt: &str) -> io::Result<Option<String>> {
    screen.write_all(prompt.as_bytes())?;
    screen.flush()?;
    let mut typed = String::new();
    match keyboard.take(LONGEST).read_line(&mut typed) {
        Ok(0) => Ok(None),
        Ok(_) => Ok(Some(typed.trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(Some(String::new())),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(keys: &[u8]) -> Answer {
        converse(keys, io::sink(), "a plan", &Digest::of_bytes(b"abc")).unwrap()
    }

    #[test]
    fn a_line_is_what_was_typed_and_its_end_is_no_answer() {
        assert_eq!(answer(b"ba78-16bf-8f01\nrest"), Answer::Typed("ba78-16bf-8f01".into()));
        assert_eq!(answer(b"\n"), Answer::Typed(String::new()));
        assert_eq!(answer(b"\xff\xfe\n"), Answer::Typed(String::new()));
        assert_eq!(answer(b""), Answer::Cancelled);
    }

    #[test]
    fn the_plan_and_the_digest_are_on_the_screen() {
        let mut screen = Vec::new();
        converse(&b"\n"[..], &mut screen, "a plan", &Digest::of_bytes(b"abc")).unwrap();
        let screen = String::from_utf8(screen).unwrap();
        assert_eq!(screen, "\na plan\nType ba78-16bf-8f01 to approve, anything else to refuse: ");
    }
}
