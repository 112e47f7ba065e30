//! Where the statements of a text are: enough of SQL's lexis to count them, for any dialect.

use crate::text::Span;

/// The statements of a text, without their semicolons; pieces of comments and blanks are none.
pub fn statements(text: &str) -> Vec<Span> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut start = None;
    let mut at = 0;
    while at < bytes.len() {
        let skipped = skip(text, at);
        match bytes[at] {
            b';' => {
                found.extend(start.take().map(|start| Span::new(start, at)));
                at += 1;
            }
            byte if byte.is_ascii_whitespace() => at += 1,
            _ if is_comment(text, at) => at = skipped,
            _ => {
                start.get_or_insert(at);
                at = skipped;
            }
        }
    }
    found.extend(start.map(|start| Span::new(start, start + text[start..].trim_end().len())));
    found
}

/// The text without comments, with one blank for each run of blanks, in upper case: for comparing first words.
pub(super) fn normalised(statement: &str) -> String {
    let mut result = String::new();
    let mut at = 0;
    while at < statement.len() {
        let next = skip(statement, at);
        if is_comment(statement, at) {
            result.push(' ');
        } else {
            result.push_str(&statement[at..next]);
        }
        at = next;
    }
    result.split_whitespace().collect::<Vec<_>>().join(" ").to_uppercase()
}

fn is_comment(text: &str, at: usize) -> bool {
    let rest = &text.as_bytes()[at..];
    rest.starts_with(b"--") || rest.starts_with(b"/*")
}

/// The offset behind the literal, comment or character at `at`, always on a character's boundary.
fn skip(text: &str, at: usize) -> usize {
    let rest = &text[at..];
    let length = match rest.as_bytes()[0] {
        b'-' if rest.starts_with("--") => rest.find('\n').map_or(rest.len(), |end| end + 1),
        b'/' if rest.starts_with("/*") => block_comment(rest),
        quote @ (b'\'' | b'"' | b'`') => rest[1..].find(quote as char).map_or(rest.len(), |end| end + 2),
        b'$' => dollar_quoted(rest).unwrap_or(1),
        _ => rest.chars().next().map_or(1, char::len_utf8),
    };
    at + length
}

fn block_comment(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let (mut depth, mut at) = (0usize, 0);
    while at < bytes.len() {
        match &bytes[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn dollar_quoted(rest: &str) -> Option<usize> {
    let tag_end = rest[1..].find(|it: char| !it.is_alphanumeric() && it != '_')? + 1;
    if !rest[tag_end..].starts_with('$') || rest[1..].starts_with(|it: char| it.is_ascii_digit()) {
        return None;
    }
    let tag = &rest[..=tag_end];
    Some(rest[tag.len()..].find(tag).map_or(rest.len(), |end| end + 2 * tag.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found: Vec<&str> = statements(text).iter().map(|span| span.of(text)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn statements_end_at_semicolons() {
        check("SELECT 1; SELECT 2 ;\n", &["SELECT 1", "SELECT 2 "]);
        check("SELECT 1", &["SELECT 1"]);
        check(" ;; -- nothing; here\n /* a /* b; */ ; */", &[]);
    }

    #[test]
    fn semicolons_in_literals_and_bodies_end_nothing() {
        check("SELECT 'a;''b;', \"c;\" ; x", &["SELECT 'a;''b;', \"c;\" ", "x"]);
        check("DO $$ BEGIN a; END $$; DO $é$;$$;$é$", &["DO $$ BEGIN a; END $$", "DO $é$;$$;$é$"]);
        check("SELECT $1; SELECT $2", &["SELECT $1", "SELECT $2"]);
    }

    #[test]
    fn unfinished_text_is_one_statement() {
        check("SELECT 'é", &["SELECT 'é"]);
        check("DO $x$ é", &["DO $x$ é"]);
    }
}
