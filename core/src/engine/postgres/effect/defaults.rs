//! Defaults that are no values of their column's type (22P02, 22007 and 42804, measured on 11, 15, 18 and 19, `tests/src/refused.rs`).

use super::draft::Draft;
use crate::catalog::UserType;
use crate::operation::{Expression, TypeName};
use crate::statement::{Script, TokenKind};

/// A default that stands alone: a literal, or a word for one.
enum Literal {
    Text(String),
    Number,
    Truth,
}

pub(super) fn refuse(draft: &mut Draft<'_>, column: &str, ty: &TypeName, default: &Expression) {
    let Some(literal) = literal(default, draft) else { return };
    let refused = match draft.catalog.user_type(ty) {
        Some(UserType::Enum(labels)) if !ty.array => match &literal {
            Literal::Text(text) => !labels.contains(text),
            _ => true,
        },
        Some(_) => false,
        None => is_refused(ty, &literal),
    };
    if refused {
        draft.fail(format!("{} is no value of {column}, which is {ty}", default.text.trim()));
    }
}

fn literal(default: &Expression, draft: &Draft<'_>) -> Option<Literal> {
    let text = default.text.trim();
    let script = Script::read(text, draft.catalog.dialect());
    let [token] = script.tokens.as_slice() else { return None };
    match token.kind {
        TokenKind::String if text.starts_with('\'') => {
            Some(Literal::Text(text.trim_matches('\'').replace("''", "'")))
        }
        TokenKind::Number => Some(Literal::Number),
        TokenKind::Word => {
            ["true", "false"].iter().any(|it| text.eq_ignore_ascii_case(it)).then_some(Literal::Truth)
        }
        _ => None,
    }
}

const NUMBERS: &[&str] = &["int2", "int4", "int8", "numeric", "float4", "float8"];
/// Types that no number and no truth value is cast to by itself.
const NEITHER: &[&str] =
    &["uuid", "date", "timestamp", "timestamptz", "time", "interval", "json", "jsonb", "bytea", "inet"];

fn is_refused(ty: &TypeName, literal: &Literal) -> bool {
    match literal {
        Literal::Text(text) if ty.array => {
            let text = text.trim();
            !(text.starts_with('{') || text.starts_with('[') && text.contains('='))
        }
        Literal::Text(text) => is_no_value(ty, text.trim()),
        Literal::Number => ty.array || ty.is("bool") || ty.is_any(NEITHER),
        Literal::Truth => ty.array || ty.is_any(NUMBERS) || ty.is_any(NEITHER),
    }
}

/// Whether a text is certainly none of the type: what is not listed may be one.
fn is_no_value(ty: &TypeName, text: &str) -> bool {
    let lower = text.to_lowercase();
    let begins = |words: &[&str]| words.iter().any(|it| lower.starts_with(it));
    match ty.name.as_str() {
        "int2" | "int4" | "int8" => !text.contains(|it: char| it.is_ascii_digit()),
        "numeric" | "float4" | "float8" => {
            let signed = lower.trim_start_matches(['+', '-']);
            !text.contains(|it: char| it.is_ascii_digit()) && !["nan", "inf", "infinity"].contains(&signed)
        }
        "bool" => {
            let words = ["true", "false", "yes", "no", "on", "off"];
            let short = lower != "o" && !lower.is_empty() && words.iter().any(|it| it.starts_with(&lower));
            !short && lower != "1" && lower != "0"
        }
        "uuid" => text.contains(|it: char| !it.is_ascii_hexdigit() && !"{}-".contains(it)) || text.is_empty(),
        "json" | "jsonb" => {
            !begins(&["{", "[", "\"", "-", "true", "false", "null"])
                && !text.starts_with(|it: char| it.is_ascii_digit())
        }
        _ => false,
    }
}
