//! Answers written into the text of `lockkeeper.toml`, which otherwise stays as its people wrote it.

use std::path::Path;

use super::{FILE_NAME, parse};

/// The text with these answers under `[answers]`, in place of earlier ones.
///
/// # Errors
/// In words, where the file has a form that is not extended here.
pub fn answered(text: &str, answers: &[(String, String)]) -> Result<String, String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let is_header = |line: &String| line.trim_start().starts_with('[');
    let head = lines.iter().position(|it| it.split('#').next().is_some_and(|it| it.trim() == "[answers]"));
    let head = head.unwrap_or_else(|| {
        if lines.last().is_some_and(|it| !it.is_empty()) {
            lines.push(String::new());
        }
        lines.push("[answers]".to_owned());
        lines.len() - 1
    });
    for (id, value) in answers {
        let end = lines.iter().skip(head + 1).position(is_header).map_or(lines.len(), |it| head + 1 + it);
        let line = format!("{id} = {}", toml::Value::String(value.clone()));
        let key = |it: &String| it.split_once('=').is_some_and(|(key, _)| key.trim().trim_matches('"') == id);
        match lines[head + 1..end].iter().position(key) {
            Some(at) => lines[head + 1 + at] = line,
            None => lines.insert(head + 1, line),
        }
    }
    let text = lines.join("\n") + "\n";
    let told = parse(Path::new(FILE_NAME), &text).map_err(|error| error.to_string())?;
    let kept =
        |(id, value): &(String, String)| told.answers.get(id).is_some_and(|it| it.to_string() == *value);
    match answers.iter().all(kept) {
        true => Ok(text),
        false => Err(format!(
            "{FILE_NAME} has a form that is not extended here: write the answers under [answers]"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(before: &str, expected: &str) {
        let answers =
            [("table-rows".to_owned(), "4M".to_owned()), ("downtime-allowed".to_owned(), "none".to_owned())];
        assert_eq!(answered(before, &answers).as_deref(), Ok(expected));
    }

    #[test]
    fn answers_stand_where_answers_stand() {
        check("", "[answers]\ndowntime-allowed = \"none\"\ntable-rows = \"4M\"\n");
        check(
            "dialect = \"postgres\"\n\n[answers] # ours\ntable-rows = 5 # old\n\n[gates]\nstrategy = \"attended\"\n",
            "dialect = \"postgres\"\n\n[answers] # ours\ndowntime-allowed = \"none\"\ntable-rows = \"4M\"\n\n[gates]\nstrategy = \"attended\"\n",
        );
        check(
            "[[paths]]\npath = \"a\"\n",
            "[[paths]]\npath = \"a\"\n\n[answers]\ndowntime-allowed = \"none\"\ntable-rows = \"4M\"\n",
        );
    }

    #[test]
    fn what_is_of_another_form_is_left_to_its_people() {
        let answers = [("table-rows".to_owned(), "4M".to_owned())];
        for text in ["answers = { table-rows = 5 }\n", "answers.table-rows = 5\n", "no = [\n"] {
            assert!(answered(text, &answers).is_err(), "{text}");
        }
    }
}
