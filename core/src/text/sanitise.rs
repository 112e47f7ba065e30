//! Text that we did not write, made safe to show beside text that we did.
//!
//! Names, comments and data come from repositories and databases. Shown raw they could pose as our own words, move the
//! cursor or hide in bidirectional and zero-width characters (design.md 4, "Gates" rule 2).

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
    fn long_text_is_cut_and_says_so() {
        assert_eq!(sanitise("abcdef", 3), "abc…");
        assert_eq!(quoted("a”b", 9), "“a\"b”");
    }
}
