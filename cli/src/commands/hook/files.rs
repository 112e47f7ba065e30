//! Which of its arguments a program changes, for those that change files.

use super::places::Change;
use super::programs::Program;
use super::shell::Word;

/// The paths that a program changes, each with how; nothing for programs that are not known for it.
pub fn changed(program: &Program) -> Vec<(Word, Change<'static>)> {
    let operands = || program.operands().cloned();
    let has = |options: &[&str]| program.known().iter().any(|it| options.contains(it));
    let written = |it: Word| (it, Change::Written(None));
    let removed = |it: Word| (it, Change::Removed);
    match program.name.as_str() {
        "rm" | "rmdir" | "unlink" | "shred" | "trash" => operands().map(removed).collect(),
        "touch" if has(&["-c", "--no-create"]) => Vec::new(),
        "tee" | "touch" | "truncate" | "sponge" | "unexpand" => operands().map(written).collect(),
        "mv" => {
            let all: Vec<Word> = operands().collect();
            let Some((last, first)) = all.split_last() else { return Vec::new() };
            let gone = first.iter().cloned().map(removed);
            gone.chain(into(first, last).into_iter().map(written)).collect()
        }
        "cp" | "install" | "ln" | "rsync" => {
            let all: Vec<Word> = operands().collect();
            let Some((last, first)) = all.split_last() else { return Vec::new() };
            into(first, last).into_iter().map(written).collect()
        }
        "sed" | "gsed" | "perl" if is_in_place(program) => {
            operands().skip(1).chain(script_files(program)).map(written).collect()
        }
        "dd" => program
            .known()
            .iter()
            .filter_map(|it| it.strip_prefix("of="))
            .map(|it| written(Word::fixed(it)))
            .collect(),
        "chmod" | "chown" | "chgrp" | "setfacl" => operands().skip(1).map(written).collect(),
        "git" => git(program),
        _ => Vec::new(),
    }
}

/// The target itself, and what lies in it under the names of the sources.
fn into(sources: &[Word], target: &Word) -> Vec<Word> {
    let Some(folder) = target.known() else { return vec![target.clone()] };
    let names = sources.iter().map(|it| match it.known() {
        Some(path) => Word::fixed(&format!(
            "{folder}/{}",
            path.trim_end_matches('/').rsplit('/').next().unwrap_or(path)
        )),
        // A pattern that only names files in its last part has their ending, at least.
        None => Word::fixed(&format!("{folder}/{}", it.text.rsplit('/').next().unwrap_or_default())),
    });
    std::iter::once(target.clone()).chain(names).collect()
}

fn is_in_place(program: &Program) -> bool {
    let short = |it: &&str| it.starts_with('-') && !it.starts_with("--") && it.contains('i');
    program.known().iter().any(|it| it.starts_with("--in-place") || short(it))
}

/// With `-e` every operand is a file.
fn script_files(program: &Program) -> Option<Word> {
    let is_stated = program.known().iter().any(|it| matches!(*it, "-e" | "-f" | "--expression"));
    is_stated.then(|| program.operands().next().cloned()).flatten()
}

/// What git puts in place of files, or takes away. What is committed was looked at by people.
fn git(program: &Program) -> Vec<(Word, Change<'static>)> {
    let mut operands = program.operands().skip_while(|it| it.known().is_none_or(|it| it.contains('/')));
    let command = operands.next().and_then(Word::known).unwrap_or_default();
    match command {
        "rm" => operands.cloned().map(|it| (it, Change::Removed)).collect(),
        "mv" => operands.cloned().map(|it| (it, Change::Removed)).collect(),
        _ => Vec::new(),
    }
}
