//! Lines of other people's files made fit to be shown: on one line, capped, without secrets.

use lockkeeper_core::text::sanitise;

/// Longest excerpt, in characters.
const LIMIT: usize = 160;

/// Words in a key whose value is never shown.
const SECRET_KEYS: &[&str] =
    &["password", "passwd", "pwd", "secret", "token", "api_key", "apikey", "access_key", "private_key"];

/// A line as evidence: trimmed, sanitised, with credentials replaced by `***`.
pub fn excerpt(line: &str) -> String {
    sanitise(&redact(line.trim()), LIMIT)
}

/// The text with credentials of URLs and values of secret keys replaced by `***`.
pub fn redact(text: &str) -> String {
    let text = without_url_credentials(text);
    let Some(value) = secret_value(&text) else {
        return text;
    };
    format!("{}***", &text[..value])
}

/// `scheme://user:password@host` becomes `scheme://***@host`.
fn without_url_credentials(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        result.push_str(before);
        let end = after
            .find(|it: char| it.is_whitespace() || matches!(it, '/' | '"' | '\'' | '`'))
            .unwrap_or(after.len());
        match after[..end].rfind('@') {
            Some(host) => {
                result.push_str("***");
                rest = &after[host..];
            }
            None => rest = after,
        }
    }
    result + rest
}

/// Where the value starts of `PASSWORD: value` or `password = value`, unless it only names a variable.
fn secret_value(text: &str) -> Option<usize> {
    let lower = text.to_ascii_lowercase();
    let key = SECRET_KEYS.iter().filter_map(|key| Some(lower.find(key)? + key.len())).min()?;
    let separator = key + text[key..].find(['=', ':'])?;
    let between =
        text[key..separator].trim_matches(|it: char| it.is_alphanumeric() || "_\"'`- ".contains(it));
    let start = separator + 1 + (text[separator + 1..].len() - text[separator + 1..].trim_start().len());
    let value = text[start..].trim_start_matches(['"', '\'', '`']);
    let is_variable = value.starts_with(['$', '<']) || value.starts_with("{{") || value.is_empty();
    (between.is_empty() && !is_variable && text.is_char_boundary(start)).then_some(start)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(excerpt("  password = \"hunter2\""), "password = ***");
        assert_eq!(excerpt("SENTRY_AUTH_TOKEN=abc"), "SENTRY_AUTH_TOKEN=***");
    }

    #[test]
    fn names_of_variables_stay() {
        assert_eq!(excerpt("password: ${DB_PASSWORD}"), "password: ${DB_PASSWORD}");
        assert_eq!(excerpt("image: postgres:15"), "image: postgres:15");
    }
}
