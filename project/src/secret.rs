//! Secrets in other people's text, replaced by `***` before it is shown: one redactor for excerpts and for everything that
//! leaves over the wire.
//!
//! It errs on the side of hiding: a key that sounds like a secret hides its value, whatever that is; a reference to a
//! variable stays, and its default does not.

use std::borrow::Cow;
use std::sync::LazyLock;

use lockkeeper_core::text::sanitise;
use regex::{Captures, Regex};
use serde_json::Value;

/// Longest excerpt, in characters.
const LIMIT: usize = 160;

/// What stands in a secret's place.
const HIDDEN: &str = "***";

/// A name that holds a secret: long words anywhere in it, short ones as a part of their own.
const KEY: &str = r"(?:[\w.-]*(?:password|passwd|passphrase|secret|token|credential|(?:api|access|private|account|sdk|signing|encryption|license|master|service|webhook)[_-]?key)[\w.-]*|\b(?:[a-z0-9]+[_.-])*(?:pass|pwd|pw|auth|dsn)\b)";

/// A literal, also one whose end was cut off; the quotes may be escaped.
const QUOTED: &str = r#"\\*"(?:[^"\\]|\\[^"])*(?:\\*"|$)|\\*'(?:[^'\\]|''|\\[^'])*(?:\\*'|$)|`[^`]*(?:`|$)|\$\$.*?(?:\$\$|$)|\$\w+\$.*?(?:\$\w+\$|$)"#;

/// `scheme://user:password@host`, also with slashes in the password, and cut off before its end.
static URL: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r#"(\w[\w+.-]*://)(?:(?:[^\s/"'`<>]*@|[^\s/:@"'`<>]*:[^\s"'`<>]*[^\d\s"'`<>/][^\s"'`<>]*@)"#,
        r#"|[^\s/:@"'`<>]*:[\d]*[^\d\s/?#"'`<>][^\s"'`<>]*$)"#,
    ))
});
/// `<password>value</password>`.
static TAG: LazyLock<Regex> = LazyLock::new(|| regex(&format!(r"(<{KEY}(?:\s[^<>]*)?>)([^<]+)")));
/// `KEY=value`, `"key": "value"`, `key => value`.
static ASSIGNED: LazyLock<Regex> = LazyLock::new(|| {
    regex(&format!(
        r#"({KEY}\\*["'`\])]*[^\S\n]*(=>|:=|[:=])[^\S\n]*)((?:[a-z]\b)?(?:{QUOTED})|\$\{{[^}}\n]*\}}?|[^\s"'`&,;)\]}}][^\s"'`&;)\n]*)"#
    ))
});
/// `PASSWORD 'value'`, `IDENTIFIED BY 'value'`, `--api-key value`.
static SPACED: LazyLock<Regex> = LazyLock::new(|| {
    regex(&format!(
        r#"((?:\b(?:[\w]*password|passphrase|secret|token|identified(?:\s+with\s+\S+)?\s+by(?:\s+password)?)\s+)(?:[eub]&?)?)({QUOTED})|(--?{KEY}[^\S\n]+)({QUOTED}|[^\s-]\S*)"#
    ))
});
/// `getenv("DB_PASSWORD", "value")`, `env.DB_PASSWORD || "value"`, `fetch("DB_PASSWORD") { "value" }`.
static DEFAULT: LazyLock<Regex> = LazyLock::new(|| {
    regex(&format!(r#"({KEY}\\*["'`\])]*[^\S\n]*(?:,|\|\||\?\?|\?:|\bor\b|\{{|\()[^\S\n]*)({QUOTED})"#))
});
/// `${PASSWORD:-value}`.
static EXPANSION: LazyLock<Regex> = LazyLock::new(|| regex(&format!(r"(\$\{{{KEY}:?[-=+?])([^}}\n]*)")));
/// `Authorization: Bearer value`, `curl -u user:value`, `mysql -pvalue`.
static SPOKEN: LazyLock<Regex> = LazyLock::new(|| {
    regex(r#"(\b(?:bearer|basic)\s+|\s(?:-u|--user)[\s=]+["']?[^\s:"']+:|\bmysql\w*\b[^\n]*?\s-p)([^\s"']+)"#)
});
/// What is a secret by its own shape.
static SHAPE: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----|[\s\S]*)",
        r"|\b(?-i:A(?:KIA|SIA)[A-Z0-9]{12,}|AIza[\w-]{20,}|eyJ[\w-]{8,}\.[\w-]{8,}[\w.-]*)",
        r"|\b(?-i:gh[opsur]_\w{8,}|github_pat_\w{8,}|glpat-[\w-]{8,}|npm_\w{16,}|xox[abeprs]-[\w-]{8,}|SG\.[\w.-]{16,}|hvs\.[\w-]{8,}|dop_v1_\w{8,})",
        r"|\b(?-i:[spr]k[-_](?:live|test|proj|ant)[-_][\w-]{8,}|sk-[\w-]{16,}|sdk-[\w-]{16,}|whsec_\w{8,}|pypi-[\w-]{16,})",
    ))
});

/// Letters are those of ASCII: keys are, and the tables of all others make the automata a hundred times larger.
fn regex(pattern: &str) -> Regex {
    let ascii = pattern.replace(r"[\w", "[0-9A-Za-z_").replace(r"\w", "[0-9A-Za-z_]").replace(r"\d", "0-9");
    let ascii = ascii.replace(r"\b", r"(?-u:\b)");
    Regex::new(&format!("(?i){ascii}")).expect("the pattern is written here")
}

/// A line as evidence: trimmed, sanitised, with secrets replaced by `***`.
pub fn excerpt(line: &str) -> String {
    sanitise(&redact(line.trim()), LIMIT)
}

/// The text with every secret replaced by `***`.
pub fn redact(text: &str) -> String {
    let text = URL.replace_all(text, format!("${{1}}{HIDDEN}@"));
    let text = SHAPE.replace_all(&text, HIDDEN);
    let text = TAG.replace_all(&text, format!("${{1}}{HIDDEN}"));
    let text = EXPANSION.replace_all(&text, format!("${{1}}{HIDDEN}"));
    let text = DEFAULT.replace_all(&text, hide);
    let text = SPACED.replace_all(&text, hide);
    let text = SPOKEN.replace_all(&text, format!("${{1}}{HIDDEN}"));
    ASSIGNED.replace_all(&text, hide_assigned).into_owned()
}

/// Every text of the value without its secrets; keys stay.
pub fn redact_value(value: &mut Value) {
    match value {
        Value::String(text) => *text = redact(text),
        Value::Array(items) => items.iter_mut().for_each(redact_value),
        Value::Object(members) => members.values_mut().for_each(redact_value),
        _ => {}
    }
}

/// The value hidden, with its quotes kept.
fn hide(found: &Captures<'_>) -> String {
    let key = found.get(1).or_else(|| found.get(3)).map_or("", |it| it.as_str());
    let value = found.get(2).or_else(|| found.get(4)).map_or("", |it| it.as_str());
    format!("{key}{}", hidden(value))
}

fn hide_assigned(found: &Captures<'_>) -> String {
    let (key, separator, value) = (&found[1], &found[2], &found[3]);
    // Words behind a colon that are no values: types, and what there is instead of a value.
    let word = value.trim_end_matches(['?', ',', '!', '|']);
    let is_type = separator == ":" && TYPES.iter().any(|it| it.eq_ignore_ascii_case(word));
    if is_type { found[0].to_owned() } else { format!("{key}{}", hidden(value)) }
}

const TYPES: &[&str] = &[
    "string",
    "str",
    "text",
    "number",
    "int",
    "bool",
    "boolean",
    "any",
    "null",
    "none",
    "undefined",
    "true",
    "false",
];

fn hidden(value: &str) -> Cow<'_, str> {
    let bare = value.trim_matches(['"', '\'', '`', '\\']);
    if let Some(name) = bare.strip_prefix("${") {
        let end = name.find(|it: char| !(it.is_alphanumeric() || it == '_')).unwrap_or(name.len());
        // A default, an alternative or a word that belongs to the value is hidden; a name alone is not.
        return if &name[end..] == "}" {
            value.into()
        } else {
            format!("${{{}:-{HIDDEN}}}", &name[..end]).into()
        };
    }
    let is_variable = bare.strip_prefix('$').is_some_and(|it| {
        !it.is_empty()
            && it.chars().all(|it| it.is_alphanumeric() || it == '_' || it == '.')
            && !it.starts_with('$')
    });
    let is_placeholder =
        bare.starts_with('<') && bare.ends_with('>') || bare.starts_with("{{") && bare.ends_with("}}");
    let is_lookup =
        ["process.env.", "os.environ", "env.", "ENV[", "env("].iter().any(|it| bare.starts_with(it));
    if bare.is_empty() || is_variable || is_placeholder || is_lookup {
        return value.into();
    }
    let quote = value.chars().find(|it| matches!(it, '"' | '\'' | '`'));
    match quote.filter(|it| value.trim_start_matches('\\').starts_with(*it)) {
        Some(quote) => format!("{quote}{HIDDEN}{quote}").into(),
        None => HIDDEN.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lockkeeper_core::text::sanitise;

    #[test]
    fn credentials_never_stay() {
        assert_eq!(
            excerpt(" DATABASE_URL=postgres://shop:hunter2@db:5432/shop "),
            "DATABASE_URL=postgres://***@db:5432/shop"
        );
        assert_eq!(
            excerpt("url: postgres://a:p@ss@db/x and mysql://b:c@d"),
            "url: postgres://***@db/x and mysql://***@d"
        );
        assert_eq!(excerpt("POSTGRES_PASSWORD: hunter2"), "POSTGRES_PASSWORD: ***");
        assert_eq!(excerpt("  password = \"hunter2\""), "password = \"***\"");
        assert_eq!(excerpt("SENTRY_AUTH_TOKEN=abc"), "SENTRY_AUTH_TOKEN=***");
        assert_eq!(
            excerpt("CREATE ROLE app LOGIN PASSWORD 'x' VALID UNTIL 'y'"),
            "CREATE ROLE app LOGIN PASSWORD '***' VALID UNTIL 'y'"
        );
    }

    #[test]
    fn names_of_variables_and_columns_stay() {
        for text in [
            "password: ${DB_PASSWORD}",
            "PGPASSWORD=$DB_PASSWORD psql",
            "image: postgres:15",
            "CREATE TABLE users (password text NOT NULL, token varchar(20));",
            "password: string",
            "const { password } = user",
            "SELECT name, password FROM users WHERE token IS NULL",
            "https://github.com/a/b:8080/c",
            "from \"@scope/pass\"",
            "lockkeeper approve 0123456789abcdef strategy",
            "PRIMARY KEY (id), FOREIGN KEY (user_id) REFERENCES users (id)",
            "\"primary_key\": {\"columns\": [\"id\"]}",
        ] {
            assert_eq!(redact(text), text);
        }
    }

    /// `@` is the secret's place. Each shape with other text around it, twice on a line, and cut off in the middle.
    const SHAPES: &str = include_str!("secret/shapes.txt");

    #[test]
    fn no_shape_lets_a_secret_through() {
        let secret = "hunter2Zx9";
        let shapes: Vec<&str> = SHAPES.lines().filter(|it| !it.is_empty()).collect();
        assert!(shapes.len() >= 60, "{}", shapes.len());
        let mut leaks = Vec::new();
        for shape in &shapes {
            let text = shape.replace('@', secret).replace("§", "@");
            let cut = &text[..text.find(secret).expect("a place") + secret.len()];
            let around = format!("a line\n  x = 1; {text} # y = 2\nanother line");
            let variable = format!("PASSWORD=${{OTHER}} {text}");
            let twice = format!("{text} {text}");
            let shown = sanitise(&text, 10_000);
            for text in [&text, cut, &around, &variable, &twice, &shown] {
                if redact(text).contains("hunter2") {
                    leaks.push(format!("{text}\n  -> {}", redact(text)));
                }
            }
        }
        assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
    }

    /// Every pair of shapes on one line: what the first hides must not keep the second from being seen.
    #[test]
    fn no_pair_of_shapes_lets_a_secret_through() {
        let shapes: Vec<String> = SHAPES
            .lines()
            .filter(|it| !it.is_empty())
            .map(|it| it.replace('@', "hunter2Zx9").replace('§', "@"))
            .collect();
        let pairs =
            shapes.iter().flat_map(|first| shapes.iter().map(move |second| format!("{first} {second}")));
        let leaks: Vec<String> = pairs.filter(|it| redact(it).contains("hunter2")).collect();
        assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks[..leaks.len().min(20)].join("\n"));
    }

    #[test]
    fn what_is_redacted_stays_so() {
        for shape in SHAPES.lines() {
            let once = redact(shape);
            assert_eq!(redact(&once), once);
        }
    }

    #[test]
    fn long_text_takes_no_time() {
        for unit in
            ["password", "a://", "'", "password='", "-----BEGIN PRIVATE KEY-----", "${password:-", "x:y@"]
        {
            let text = unit.repeat(200_000 / unit.len());
            let start = std::time::Instant::now();
            redact(&text);
            assert!(start.elapsed().as_secs() < 10, "{unit}: {:?}", start.elapsed());
        }
    }
}
