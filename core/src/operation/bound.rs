//! What the bound of a partition says of its rows, as conditions that a CHECK can hold.

use crate::dialect::{Dialect, quote};
use crate::statement::{Cursor, Script};

use super::{PartitionBound, PartitionBy};

/// The bound of a partition on a key of one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    text: String,
    column: String,
    values: Values,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Values {
    /// From and up to; `None` is `MINVALUE` or `MAXVALUE`.
    Range(Option<String>, Option<String>),
    /// These.
    List(Vec<String>),
}

impl Bound {
    /// Reads the bound of a partition of a table.
    ///
    /// # Errors
    /// In words, where no plain condition says the same.
    pub fn read(by: &PartitionBy, bound: &PartitionBound, dialect: Dialect) -> Result<Self, &'static str> {
        let [column] = by.columns.as_slice() else { return Err("the partition key is no single column") };
        let PartitionBound::Values(text) = bound else {
            return Err("a default partition has no bound of its own");
        };
        let script = Script::read(text, dialect);
        let mut cursor = Cursor::new(text, dialect, &script.tokens);
        let mut group = |word: &str| {
            cursor.eat(word);
            let parts = cursor.group()?.segments();
            Some(parts.iter().map(|it| it.span().of(text).to_owned()).collect::<Vec<String>>())
        };
        let values = match by.method.as_str() {
            "range" => {
                let (from, to) = (group("from"), group("to"));
                let (Some([from]), Some([to])) = (from.as_deref(), to.as_deref()) else {
                    return Err("the bound is not one value from and one to");
                };
                let end = |it: &String, word: &str| (!it.eq_ignore_ascii_case(word)).then(|| it.clone());
                Values::Range(end(from, "minvalue"), end(to, "maxvalue"))
            }
            "list" => {
                let values = group("in").ok_or("the bound lists no values")?;
                if values.iter().any(|it| it.eq_ignore_ascii_case("null")) {
                    return Err("the bound lists NULL");
                }
                Values::List(values)
            }
            _ => return Err("a bound of hashes is no plain condition"),
        };
        Ok(Self { text: text.clone(), column: column.clone(), values })
    }

    /// The bound as a statement spells it.
    pub fn text(&self) -> String {
        format!("FOR VALUES {}", self.text)
    }

    /// The key's column.
    pub fn column(&self) -> &str {
        &self.column
    }

    /// What every row within it satisfies: all of these. The server takes a CHECK of them as the proof (measured on 15).
    pub fn within(&self, dialect: Dialect) -> Vec<String> {
        let column = quote(&self.column, dialect);
        let mut parts = vec![format!("{column} IS NOT NULL")];
        match &self.values {
            Values::Range(from, to) => {
                parts.extend(from.iter().map(|it| format!("{column} >= {it}")));
                parts.extend(to.iter().map(|it| format!("{column} < {it}")));
            }
            Values::List(values) => parts.push(format!("{column} IN ({})", values.join(", "))),
        }
        parts
    }

    /// What every row outside of it satisfies: one of these. The server takes a CHECK of them as the proof that a default
    /// partition holds no row of it (measured on 15).
    pub fn outside(&self, dialect: Dialect) -> Vec<String> {
        let column = quote(&self.column, dialect);
        let mut parts = vec![format!("{column} IS NULL")];
        match &self.values {
            Values::Range(from, to) => {
                parts.extend(from.iter().map(|it| format!("{column} < {it}")));
                parts.extend(to.iter().map(|it| format!("{column} >= {it}")));
            }
            Values::List(values) => parts.push(format!("{column} NOT IN ({})", values.join(", "))),
        }
        parts
    }

    /// Whether the condition of a check says that all rows are within. `not_null`: whether the column refuses NULL.
    pub fn is_implied_by(&self, check: &str, not_null: bool, dialect: Dialect) -> bool {
        let Some(said) = parts(check, "and", "or", dialect) else { return false };
        let mut needed = self.within(dialect);
        if not_null {
            needed.remove(0);
        }
        needed.iter().all(|it| said.contains(&words(it, dialect)))
    }

    /// Whether the condition of a check says that no row is within.
    pub fn is_excluded_by(&self, check: &str, dialect: Dialect) -> bool {
        let Some(said) = parts(check, "or", "and", dialect) else { return false };
        let allowed: Vec<String> = self.outside(dialect).iter().map(|it| words(it, dialect)).collect();
        said.iter().all(|it| allowed.contains(it))
    }
}

/// The parts of a condition between one operator; `None` where the other one stands in it too.
fn parts(text: &str, between: &str, not: &str, dialect: Dialect) -> Option<Vec<String>> {
    let words = words(text, dialect);
    let all: Vec<&str> = words.split(' ').collect();
    if all.contains(&not) {
        return None;
    }
    Some(all.split(|it| *it == between).map(|it| it.join(" ")).collect())
}

/// The words of a condition, folded, with one space between and without parentheses.
fn words(text: &str, dialect: Dialect) -> String {
    let script = Script::read(text, dialect);
    let mut cursor = Cursor::new(text, dialect, &script.tokens);
    let mut words: Vec<String> = Vec::new();
    while !cursor.at_end() {
        match cursor.ident() {
            Some(ident) => words.push(ident.name),
            None => words.extend(
                cursor.next_token().map(|it| it.span.of(text).to_owned()).filter(|it| it != "(" && it != ")"),
            ),
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(method: &str, text: &str) -> Bound {
        let by = PartitionBy { method: method.to_owned(), columns: vec!["at".to_owned()] };
        Bound::read(&by, &PartitionBound::Values(text.to_owned()), Dialect::Postgres).expect("is plain")
    }

    #[test]
    fn a_check_proves_a_bound_only_when_it_says_all_of_it() {
        let range = bound("range", "FROM ('2020-01-01') TO ('2021-01-01')");
        let implied = |check: &str, not_null| range.is_implied_by(check, not_null, Dialect::Postgres);
        assert!(implied("(at >= '2020-01-01') AND AT < '2021-01-01'", true));
        assert!(!implied("at >= '2020-01-01' AND at < '2021-01-01'", false));
        assert!(implied("at IS NOT NULL AND at >= '2020-01-01' AND at < '2021-01-01' AND x > 5", false));
        assert!(!implied("at >= '2020-01-01' OR at < '2021-01-01'", true));
        assert!(!implied("at >= '2020-01-01' AND at <= '2021-01-01'", true));
        let excluded = |check: &str| range.is_excluded_by(check, Dialect::Postgres);
        assert!(
            excluded("at < '2020-01-01'")
                && excluded("at IS NULL OR at >= '2021-01-01' OR at < '2020-01-01'")
        );
        assert!(
            !excluded("at < '2020-01-02'")
                && !excluded("at < '2020-01-01' OR x")
                && !excluded("at < '2020-01-01' OR at IS NOT NULL")
        );
    }

    #[test]
    fn open_ends_and_lists_are_conditions_too() {
        assert_eq!(
            bound("range", "FROM (MINVALUE) TO (5)").within(Dialect::Postgres),
            ["at IS NOT NULL", "at < 5"]
        );
        assert_eq!(
            bound("list", "IN ('a', 'b')").outside(Dialect::Postgres),
            ["at IS NULL", "at NOT IN ('a', 'b')"]
        );
        assert!(bound("list", "IN ('a', 'b')").is_implied_by("at IN ('a','b')", true, Dialect::Postgres));
    }
}
