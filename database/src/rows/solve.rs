//! Values that fulfil the conditions on one column. The server judges: candidates are shown to the condition itself.

use super::words::{numbers, strings};
use crate::session::Session;

/// How many rows a candidate is tried with.
const TRIED: u64 = 200;

/// What fills a column whose conditions the plain values do not fulfil.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Solution {
    /// An expression over `lk_row` that fulfils them in every row, with a value of its own in each.
    Expression(String),
    /// Values that fulfil them, as SQL.
    Pool(Vec<String>),
}

/// A column, as conditions name it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// Quoted.
    pub column: &'a str,
    /// Its type, as SQL.
    pub sql: &'a str,
    pub conditions: &'a [String],
}

impl Asked<'_> {
    /// How many of the tried rows fulfil the conditions with this value, and how many different values they have.
    pub async fn fulfilled(&self, session: &mut Session, value: &str) -> (u64, u64) {
        let query = format!(
            "SELECT pg_catalog.count(*) || ' ' || pg_catalog.count(DISTINCT {0}::text) FROM (SELECT ({value})::{1} AS {0} \
             FROM pg_catalog.generate_series(1::bigint, {TRIED}) AS lk(lk_row)) AS s WHERE {2}",
            self.column,
            self.sql,
            all(self.conditions)
        );
        let counts = session.value(&query).await.unwrap_or_default();
        let mut counts = counts.split(' ').map(|it| it.parse().unwrap_or_default());
        (counts.next().unwrap_or_default(), counts.next().unwrap_or_default())
    }

    /// Whether most rows fulfil them anyway.
    pub async fn is_easy(&self, session: &mut Session, value: &str) -> bool {
        self.fulfilled(session, value).await.0 >= TRIED / 5
    }

    pub async fn solve(&self, session: &mut Session) -> Option<Solution> {
        let text = self.conditions.join(" AND ");
        for candidate in expressions(&text) {
            if self.fulfilled(session, &candidate).await == (TRIED, TRIED) {
                return Some(Solution::Expression(candidate));
            }
        }
        let mut pool = Vec::new();
        for candidate in literals(&text) {
            if self.fulfilled(session, &candidate).await.0 == TRIED {
                pool.push(candidate);
            }
        }
        (!pool.is_empty()).then_some(Solution::Pool(pool))
    }
}

/// Conditions as the server takes them: one that is not known is fulfilled.
pub(crate) fn all(conditions: &[String]) -> String {
    let each: Vec<String> = conditions.iter().map(|it| format!("({it}) IS NOT FALSE")).collect();
    if each.is_empty() { "true".to_owned() } else { each.join(" AND ") }
}

/// Values that grow with the row: numbers from a bound on, and texts in the forms that conditions ask for.
fn expressions(text: &str) -> Vec<String> {
    const FORMS: &[&str] = &[
        "'user' || lk_row || '@example.org'",
        "'name-' || lk_row",
        "'name_' || lk_row",
        "pg_catalog.translate(lk_row::text, '0123456789', 'abcdefghij')",
        "pg_catalog.translate(lk_row::text, '0123456789', 'ABCDEFGHIJ')",
        "'https://example.org/' || lk_row",
        "'/name/' || lk_row",
        "'+4930' || pg_catalog.lpad(lk_row::text, 7, '0')",
        "pg_catalog.md5(lk_row::text)",
        "pg_catalog.md5(lk_row::text) || pg_catalog.md5(lk_row::text)",
        "'0x' || pg_catalog.lpad(pg_catalog.to_hex(lk_row), 40, '0')",
        "'1.0.' || lk_row",
        "lk_row::text",
        "(-lk_row)::text",
    ];
    let mut found: Vec<String> = FORMS.iter().map(|it| (*it).to_owned()).collect();
    for number in numbers(text) {
        found.push(format!("({number} + lk_row)"));
        found.push(format!("({number} - lk_row)"));
        found.push(format!("({number} + 1.0 / (1 + lk_row))"));
        if (1.0..=300.0).contains(&number) && number.fract() == 0.0 {
            for form in [
                "lk_row::text",
                "pg_catalog.translate(lk_row::text, '0123456789', 'ABCDEFGHIJ')",
                "pg_catalog.translate(lk_row::text, '0123456789', 'abcdefghij')",
            ] {
                let filler = if form.contains("ABC") {
                    "Z"
                } else if form.contains("abc") {
                    "z"
                } else {
                    "0"
                };
                found.push(format!("pg_catalog.lpad({form}, {number}, '{filler}')"));
            }
        }
    }
    found
}

/// What stands in the condition, and beside it.
fn literals(text: &str) -> Vec<String> {
    let mut found = strings(text);
    for number in numbers(text) {
        found.extend([number, number + 1.0, number - 1.0, number + 0.5].map(|it| format!("({it})")));
    }
    let plain = [
        "'a'",
        "'A'",
        "'abc'",
        "'ABC'",
        "'1'",
        "''",
        "'{}'",
        "'[]'",
        "0",
        "1",
        "-1",
        "true",
        "false",
        "'2024-01-01'",
    ];
    found.extend(plain.map(str::to_owned));
    found.dedup();
    found.truncate(60);
    found
}
