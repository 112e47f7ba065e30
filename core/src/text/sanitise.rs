//! Text that we did not write, made safe to show beside text that we did.
//!
//! Names, comments and data come from repositories and databases. Shown raw they could pose as our own words, move the
//! cursor or hide in bidirectional and zero-width characters.

/// The text on one line, without control, bidirectional, zero-width and other invisible characters, at most
/// `limit` characters long (then with `…` at the end).
pub fn sanitise(text: &str, limit: usize) -> String {
    let mut result = String::with_capacity(text.len().min(limit * 4));
    for (count, character) in text.chars().filter_map(visible).enumerate() {
        if count == limit {
            result.push('…');
            break;
        }
        result.push(character);
    }
    result
}

/// The text sanitised and between `“` and `”`, which the text itself cannot hold.
pub fn quoted(text: &str, limit: usize) -> String {
    format!("“{}”", sanitise(text, limit).replace(['“', '”'], "\""))
}

/// A line of SQL's comment, with its end. Nothing in the text can end it sooner or hide in it: what could is written as its code.
pub fn comment(text: &str) -> String {
    let shown = |it: char| match visible(it) {
        Some(same) if same == it => it.to_string(),
        _ => format!("\\u{{{:x}}}", u32::from(it)),
    };
    format!("-- {}\n", text.chars().map(shown).collect::<String>())
}

/// Whether a character shows nothing, or changes how others are read. Ends of lines and tabs are seen.
pub fn is_invisible(character: char) -> bool {
    visible(character).is_none()
}

/// Whether a character ends a line, is no character at all, or changes the order in which others are shown. Inside of a name or text such a line
/// may be a mark for a runner that reads files line by line (`-- +goose Down`), and the order may show a statement as another.
pub fn is_treacherous(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn visible(character: char) -> Option<char> {
    match character {
        '\n' | '\r' | '\t' => Some(' '),
        _ if character.is_control() => None,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' => None,
        '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => None,
        '\u{fe00}'..='\u{fe0f}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' => None,
        _ => Some(character),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_invisible_stays() {
        let hostile = "ord\u{1b}[31mers\u{202e} -- approved\nby\u{200b} DBA";
        assert_eq!(sanitise(hostile, 80), "ord[31mers -- approved by DBA");
    }

    #[test]
    fn nothing_ends_a_comment_sooner() {
        let hostile = "full_name\rDROP TABLE a;\r\n--\u{2028}\u{85}\0\u{202e}";
        let expected = "-- full_name\\u{d}DROP TABLE a;\\u{d}\\u{a}--\\u{2028}\\u{85}\\u{0}\\u{202e}\n";
        assert_eq!(comment(hostile), expected);
        assert_eq!(comment("l’été — fine"), "-- l’été — fine\n");
    }

    #[test]
    fn long_text_is_cut_and_says_so() {
        assert_eq!(sanitise("abcdef", 3), "abc…");
        assert_eq!(quoted("a”b", 9), "“a\"b”");
    }
}
