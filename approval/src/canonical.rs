//! One spelling for one value: JSON in the style of RFC 8785, so that equal values have equal bytes.
//!
//! Keys are sorted by UTF-16 code units, there is no white space, strings use the shortest escapes. Numbers are integers:
//! what is bound has no fractions, so the hard part of the RFC (how a double is written) does not arise.

use serde::Serialize;
use serde_json::Value;

/// The value as canonical JSON.
///
/// # Panics
/// When the type does not serialise to JSON, or holds a fraction: a mistake in our own types, never in the data.
pub fn to_string<T: Serialize>(value: &T) -> String {
    let value = serde_json::to_value(value).expect("bound values serialise to JSON");
    let mut text = String::new();
    write(&value, &mut text);
    text
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => {
            assert!(!number.is_f64(), "bound values hold no fractions");
            out.push_str(&number.to_string());
        }
        Value::String(text) => write_string(text, out),
        Value::Array(items) => write_list(out, ('[', ']'), items, write),
        Value::Object(map) => {
            let mut members: Vec<_> = map.iter().collect();
            members.sort_by(|(left, _), (right, _)| left.encode_utf16().cmp(right.encode_utf16()));
            write_list(out, ('{', '}'), &members, |(key, value), out| {
                write_string(key, out);
                out.push(':');
                write(value, out);
            });
        }
    }
}

fn write_list<T>(out: &mut String, brackets: (char, char), items: &[T], each: impl Fn(&T, &mut String)) {
    out.push(brackets.0);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        each(item, out);
    }
    out.push(brackets.1);
}

/// serde_json's escapes are the RFC's: the two-character ones, `\u00xx` in lower case, everything else as it is.
fn write_string(text: &str, out: &mut String) {
    out.push_str(&serde_json::to_string(text).expect("a string serialises to JSON"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_are_sorted_and_nothing_is_padded() {
        let value =
            json!({"b": [1, null, true], "a": {"z": "", "y": -7}, "A": 18_446_744_073_709_551_615_u64});
        assert_eq!(to_string(&value), r#"{"A":18446744073709551615,"a":{"y":-7,"z":""},"b":[1,null,true]}"#);
    }

    #[test]
    fn strings_have_the_escapes_of_the_rfc() {
        let text = "\u{20ac}$\u{f}\nA'B\"\\\\\"/\u{7f}";
        assert_eq!(to_string(&text), "\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\u{7f}\"");
    }

    /// The RFC's own example of why code units and not code points: a surrogate pair sorts before U+FB33.
    #[test]
    fn keys_are_sorted_by_utf16_code_units() {
        let value = json!({"\u{fb33}": 1, "\u{1f600}": 2});
        assert_eq!(to_string(&value), "{\"\u{1f600}\":2,\"\u{fb33}\":1}");
    }
}
