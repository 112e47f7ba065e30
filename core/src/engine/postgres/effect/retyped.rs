//! Expressions that are typed again after a column has got another type: the server reads them from its own spelling of them, in which every literal
//! has the type that it got beside the old column (measured on 11, 15, 18 and 19, `tests/src/retyped.rs`).

use crate::catalog::{Catalog, UserType};
use crate::operation::{Expression, TypeName};
use crate::statement::{Script, Token, TokenKind};

/// A column before and after.
pub(super) struct Retyped<'a> {
    pub column: &'a str,
    pub from: &'a TypeName,
    pub to: &'a TypeName,
    pub catalog: &'a Catalog,
}

/// Types whose values compare with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family<'a> {
    Numbers,
    Texts,
    Times,
    Own(&'a str),
    Enum(&'a str),
}

/// Types that compare with themselves alone.
const ALONE: &[&str] = &["bool", "uuid", "bytea", "interval", "json", "jsonb", "macaddr", "money"];

fn family<'a>(ty: &'a TypeName, catalog: &Catalog) -> Option<Family<'a>> {
    if ty.array {
        return None;
    }
    match catalog.user_type(ty) {
        Some(UserType::Enum(_)) => return Some(Family::Enum(&ty.name)),
        Some(_) => return None,
        None => {}
    }
    match ty.name.as_str() {
        "int2" | "int4" | "int8" | "numeric" | "float4" | "float8" => Some(Family::Numbers),
        "text" | "varchar" | "bpchar" => Some(Family::Texts),
        "date" | "timestamp" | "timestamptz" => Some(Family::Times),
        name => ALONE.contains(&name).then_some(Family::Own(name)),
    }
}

impl Retyped<'_> {
    /// What of an expression the server finds no operator for, in words; nothing where that is not certain.
    pub fn untyped(&self, expression: &Expression) -> Option<String> {
        // Columns of varchar stand in a cast to text there, which most types take.
        let shielded = self.from.is("varchar");
        // A whole number beside a fraction stands in a cast too.
        let whole = self.from.is_any(&["int2", "int4", "int8"]);
        let (from, to) = (family(self.from, self.catalog)?, family(self.to, self.catalog)?);
        if from == to || shielded {
            return None;
        }
        let script = Script::read(&expression.text, self.catalog.dialect());
        let reader = Reader { text: &expression.text, tokens: &script.tokens, whole };
        (0..script.tokens.len()).find_map(|at| self.at(&reader, at, from))
    }

    fn at(&self, reader: &Reader<'_>, at: usize, from: Family<'_>) -> Option<String> {
        if !reader.is_column(at, self.column) {
            return None;
        }
        let (before, behind) = (reader.before(at), reader.text_at(at + 1));
        let own = |what: &str| Some(format!("{} {what}", self.column));
        if OPERATORS.contains(&behind) && reader.begins_before(at) {
            return reader.is_literal(at + 2, from).then(|| own(&format!("{behind} …"))).flatten();
        }
        let alone = before == Some("(") && behind == ")";
        let flag =
            from == Family::Own("bool") && reader.begins_before(at) && reader.ends_at(at + 1) && !alone;
        if flag {
            return own("as a condition");
        }
        let mirrored = before.is_some_and(|it| OPERATORS.contains(&it)) && reader.ends_at(at + 1);
        let literal = at.checked_sub(2).filter(|_| mirrored);
        if literal.is_some_and(|it| reader.is_literal_behind(it, from)) {
            return own(&format!("behind {}", before.unwrap_or_default()));
        }
        let word = behind.to_lowercase();
        let next = reader.text_at(at + 2);
        match word.as_str() {
            "in" if next == "(" && reader.begins_before(at) && reader.is_list(at + 3, from) => own("IN (…)"),
            "like" | "ilike" | "~" | "~*" | "!~" if from == Family::Texts && reader.is_string(at + 2) => {
                own(&word.to_uppercase())
            }
            _ => None,
        }
    }
}

const OPERATORS: &[&str] = &["=", "<>", "!=", "<", ">", "<=", ">="];

struct Reader<'a> {
    text: &'a str,
    tokens: &'a [Token],
    /// The column holds whole numbers.
    whole: bool,
}

impl<'a> Reader<'a> {
    fn text_at(&self, at: usize) -> &'a str {
        self.tokens.get(at).map_or("", |token| token.span.of(self.text))
    }

    fn before(&self, at: usize) -> Option<&'a str> {
        at.checked_sub(1).map(|it| self.text_at(it))
    }

    /// The bare name of the column, and nothing that only has its name.
    fn is_column(&self, at: usize, column: &str) -> bool {
        let token = &self.tokens[at];
        let text = token.span.of(self.text);
        let named = match token.kind {
            TokenKind::Word => text.to_lowercase() == column,
            TokenKind::Quoted => text.trim_matches('"') == column,
            _ => false,
        };
        named && self.before(at) != Some(".") && !["(", "."].contains(&self.text_at(at + 1))
    }

    /// Whether an operand begins here: nothing in front of it binds it.
    fn begins_before(&self, at: usize) -> bool {
        let Some(before) = self.before(at) else { return true };
        let plain_open = before == "(" && {
            let callee = at.checked_sub(2).map(|it| self.text_at(it)).unwrap_or("");
            callee.is_empty()
                || callee == "("
                || self.is_junction(callee)
                || callee.eq_ignore_ascii_case("check")
        };
        plain_open || self.is_junction(before)
    }

    fn is_junction(&self, word: &str) -> bool {
        ["and", "or", "not", "where"].iter().any(|it| word.eq_ignore_ascii_case(it))
    }

    fn ends_at(&self, at: usize) -> bool {
        let text = self.text_at(at);
        text.is_empty() || text == ")" || ["and", "or"].iter().any(|it| text.eq_ignore_ascii_case(it))
    }

    fn is_string(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(|it| it.kind == TokenKind::String) && self.ends_at(at + 1)
    }

    /// A literal that is the whole operand, and that a column of the old type compares with.
    fn is_literal(&self, at: usize, from: Family<'_>) -> bool {
        self.is_value(at, from) && self.ends_at(at + 1)
    }

    /// The same in front of the column's operator.
    fn is_literal_behind(&self, at: usize, from: Family<'_>) -> bool {
        self.is_value(at, from) && self.begins_before(at)
    }

    fn is_value(&self, at: usize, from: Family<'_>) -> bool {
        let Some(token) = self.tokens.get(at) else { return false };
        let text = token.span.of(self.text);
        match token.kind {
            TokenKind::String => text.starts_with('\''),
            TokenKind::Number => from == Family::Numbers && !(self.whole && text.contains(['.', 'e', 'E'])),
            TokenKind::Word => {
                from == Family::Own("bool")
                    && ["true", "false"].iter().any(|it| text.eq_ignore_ascii_case(it))
            }
            _ => false,
        }
    }

    /// Literals with commas between, up to the parenthesis.
    fn is_list(&self, first: usize, from: Family<'_>) -> bool {
        let mut at = first;
        while self.is_value(at, from) {
            match self.text_at(at + 1) {
                "," => at += 2,
                ")" => return self.ends_at(at + 2),
                _ => return false,
            }
        }
        false
    }
}
