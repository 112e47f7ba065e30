//! Expressions whose value may change while the row stays: indexes and generated columns refuse them (42P17, measured on 11, 15 and 18).

use crate::catalog::Catalog;
use crate::operation::{Expression, TypeName};
use crate::statement::{Script, Token, TokenKind};

/// Functions that are not IMMUTABLE, whatever they get.
const NEVER: &[&str] = &[
    "clock_timestamp",
    "concat",
    "concat_ws",
    "current_setting",
    "format",
    "array_to_string",
    "gen_random_uuid",
    "json_build_array",
    "json_build_object",
    "jsonb_build_array",
    "jsonb_build_object",
    "make_timestamptz",
    "nextval",
    "now",
    "pg_backend_pid",
    "random",
    "row_to_json",
    "statement_timestamp",
    "timeofday",
    "to_char",
    "to_date",
    "to_json",
    "to_jsonb",
    "to_number",
    "transaction_timestamp",
    "unaccent",
    "uuid_generate_v4",
];

/// Functions that are not, by the number of their arguments: they ask the session.
const BY_COUNT: &[(&str, usize)] = &[("age", 1), ("to_timestamp", 2), ("to_tsvector", 1)];

/// Values of the session or the clock that are written without parentheses.
const OF_THE_CLOCK: &[&str] =
    &["current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"];

const TEXTS: &[&str] = &["text", "varchar", "bpchar"];
const TIMES: &[&str] = &["date", "timestamp", "timestamptz", "time", "timetz", "interval"];

/// What in an expression is not immutable, in words; nothing where that is not certain. `type_of` knows the columns.
pub(super) fn mutable(
    expression: &Expression,
    catalog: &Catalog,
    type_of: &dyn Fn(&str) -> Option<TypeName>,
) -> Option<String> {
    let script = Script::read(&expression.text, catalog.dialect());
    let reader = Reader { text: &expression.text, tokens: &script.tokens, type_of };
    (0..script.tokens.len()).find_map(|at| reader.at(at, catalog))
}

struct Reader<'a> {
    text: &'a str,
    tokens: &'a [Token],
    type_of: &'a dyn Fn(&str) -> Option<TypeName>,
}

impl Reader<'_> {
    fn at(&self, at: usize, catalog: &Catalog) -> Option<String> {
        if self.text_at(at) == "::" {
            return self.cast(self.value_before(at)?, at + 1);
        }
        let word = self.word(at)?;
        if OF_THE_CLOCK.contains(&word.as_str()) && !self.is_qualified(at) {
            return Some(word);
        }
        if let Some(after) = self.after_zone(at) {
            return Some(after);
        }
        (self.text_at(at + 1) == "(" && self.is_built_in(at, &word, catalog)).then_some(())?;
        let arguments = self.arguments(at + 1)?;
        let last = arguments.last().and_then(|(from, to)| self.column_in(*from, *to));
        let zoned = |ty: &TypeName| ty.is("timestamptz");
        let of_last = |is_one: &dyn Fn(&TypeName) -> bool| {
            last.as_ref().filter(|ty| is_one(ty)).map(|ty| format!("{word} of {ty}"))
        };
        match word.as_str() {
            _ if NEVER.contains(&word.as_str()) => Some(word),
            _ if BY_COUNT.contains(&(word.as_str(), arguments.len())) => Some(word),
            "date_trunc" if arguments.len() == 2 => of_last(&|ty| zoned(ty) || ty.is("date")),
            "date_part" => of_last(&zoned),
            "date" => of_last(&|ty| zoned(ty) || ty.is_any(TEXTS)),
            "extract" => {
                let (_, to) = arguments.last()?;
                let ty = self.column_in(to.checked_sub(1)?, *to).filter(|_| self.is(to - 2, "from"));
                ty.filter(zoned).map(|ty| format!("{word} of {ty}"))
            }
            "cast" => {
                let (from, to) = arguments.first().copied()?;
                let place = (from..to).find(|it| self.is(*it, "as"))?;
                self.cast(self.value(from, place)?, place + 1)
            }
            _ => None,
        }
    }

    /// `zoned + interval '1 day'`: how long a day is depends on the zone.
    fn after_zone(&self, at: usize) -> Option<String> {
        let ty = self.column_in(at, at + 1).filter(|ty| ty.is("timestamptz"))?;
        let adds = matches!(self.text_at(at + 1), "+" | "-") && self.is(at + 2, "interval");
        adds.then(|| format!("{ty} {} interval", self.text_at(at + 1)))
    }

    fn cast(&self, from: TypeName, to: usize) -> Option<String> {
        let name = self.word(to)?;
        let zoned = self.is(to + 1, "with") && self.is(to + 2, "time") || name == "timestamptz";
        let to = crate::operation::canonical_type(&name);
        let to = if to == "timestamp" && zoned { "timestamptz" } else { to };
        let refused = match from.name.as_str() {
            _ if from.array => false,
            "timestamptz" => to != "timestamptz" && (TIMES.contains(&to) || TEXTS.contains(&to)),
            "timestamp" | "date" => to == "timestamptz" || TEXTS.contains(&to),
            it if TEXTS.contains(&it) => TIMES.contains(&to),
            _ => false,
        };
        refused.then(|| format!("the cast of {from} to {to}"))
    }

    /// The type of what stands before a place: a column, or a text that was read from JSON.
    fn value_before(&self, at: usize) -> Option<TypeName> {
        let before = at.checked_sub(1)?;
        if self.text_at(before) != ")" {
            return self.column_in(before, at);
        }
        let mut depth = 0;
        let open = (0..at).rev().find(|it| {
            depth += match self.text_at(*it) {
                ")" => 1,
                "(" => -1,
                _ => 0,
            };
            depth == 0
        })?;
        // A function's value, and not what stands in its parentheses.
        let called = open.checked_sub(1).is_some_and(|it| self.tokens[it].kind == TokenKind::Word);
        (!called).then(|| self.value(open + 1, before)).flatten()
    }

    fn value(&self, from: usize, to: usize) -> Option<TypeName> {
        let in_parentheses = (from..to).any(|it| self.text_at(it) == "(");
        let from_json = (from..to).any(|it| matches!(self.text_at(it), "->>" | "#>>"));
        match from_json && !in_parentheses {
            true => Some(TypeName::plain("text")),
            false => self.column_in(from, to),
        }
    }

    /// The type of the column that is all that stands between two places.
    fn column_in(&self, from: usize, to: usize) -> Option<TypeName> {
        (to == from + 1 && !self.is_qualified(from)).then_some(())?;
        let text = self.text_at(from);
        match self.tokens.get(from)?.kind {
            TokenKind::Word => (self.type_of)(&text.to_lowercase()),
            TokenKind::Quoted => (self.type_of)(&text.trim_matches('"').replace("\"\"", "\"")),
            _ => None,
        }
    }

    /// Where the arguments in the parentheses that open here stand.
    fn arguments(&self, open: usize) -> Option<Vec<(usize, usize)>> {
        let (mut depth, mut from, mut found) = (0, open + 1, Vec::new());
        for at in open..self.tokens.len() {
            match self.text_at(at) {
                "(" => depth += 1,
                ")" if depth == 1 => {
                    found.extend((at > from).then_some((from, at)));
                    return Some(found);
                }
                ")" => depth -= 1,
                "," if depth == 1 => {
                    found.push((from, at));
                    from = at + 1;
                }
                _ => {}
            }
        }
        None
    }

    /// Whether a call means the server's own function.
    fn is_built_in(&self, at: usize, word: &str, catalog: &Catalog) -> bool {
        let is_servers = self.is_qualified(at) && at >= 2 && self.is(at - 2, "pg_catalog");
        is_servers || !self.is_qualified(at) && catalog.function(word).is_none()
    }

    fn is_qualified(&self, at: usize) -> bool {
        at > 0 && self.text_at(at - 1) == "."
    }

    fn is(&self, at: usize, word: &str) -> bool {
        self.text_at(at).eq_ignore_ascii_case(word)
    }

    fn text_at(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| token.span.of(self.text))
    }

    fn word(&self, at: usize) -> Option<String> {
        let token = self.tokens.get(at).filter(|it| it.kind == TokenKind::Word)?;
        Some(token.span.of(self.text).to_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;

    fn found(text: &str) -> Option<String> {
        let type_of = |name: &str| {
            let ty = match name {
                "tz" => "timestamptz",
                "ts" => "timestamp",
                "d" => "date",
                "s" => "text",
                "j" => "jsonb",
                _ => return None,
            };
            Some(TypeName::plain(ty))
        };
        mutable(&Expression::new(text), &Catalog::empty(Dialect::Postgres), &type_of)
    }

    #[test]
    fn what_the_server_refuses_in_an_index() {
        for text in [
            "date_trunc('day', tz)",
            "date_trunc('day', d)",
            "EXTRACT(year FROM tz)",
            "date_part('year', tz)",
            "(tz)::date",
            "tz::timestamp",
            "s::timestamp with time zone",
            "(j->>'a')::date",
            "d::text",
            "CAST(s AS date)",
            "date(tz)",
            "tz + interval '1 day'",
            "a > now()",
            "CURRENT_DATE",
            "concat(s, 'x')",
            "to_tsvector(s)",
            "pg_catalog.to_char(ts, 'YYYY')",
        ] {
            assert!(found(text).is_some(), "{text}");
        }
    }

    #[test]
    fn what_it_takes() {
        for text in [
            "date_trunc('day', ts)",
            "date_trunc('day', tz, 'UTC')",
            "date_trunc('day', tz AT TIME ZONE 'UTC')",
            "(tz AT TIME ZONE 'UTC')::date",
            "EXTRACT(year FROM d)",
            "ts::date",
            "lower(s)::date",
            "s::int",
            "(j->>'a')::int",
            "to_tsvector('english', s)",
            "age(ts, ts)",
            "tz > '2020-01-01'",
            "app.now()",
            "\"now\"",
            "ts + interval '1 day'",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
