//! The one module that knows `sqlparser`: it reads expressions and queries. No type of it leaves this file.
//!
//! What it cannot read is read from the tokens instead, which errs towards naming too many columns.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{self, BinaryOperator, Expr, SelectItem, Visit, Visitor};
use sqlparser::dialect::{MySqlDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;

use crate::dialect::{Dialect, Name, fold};
use crate::statement::{Cursor, Script, TokenKind};

/// The names in an expression.
#[derive(Debug, Clone, Default)]
pub(super) struct Reading {
    pub functions: BTreeSet<String>,
    pub columns: BTreeSet<String>,
}

/// The names in a query.
#[derive(Debug, Clone, Default)]
pub(super) struct QueryReading {
    pub relations: Vec<Name>,
    pub reading: Reading,
    /// The names that the query gives to relations.
    aliases: Vec<(Name, String)>,
    /// Columns that state whose they are.
    qualified: BTreeSet<(String, String)>,
    /// Columns that do not.
    bare: BTreeSet<String>,
}

impl QueryReading {
    /// The columns that a relation may be read by.
    pub fn columns_of(&self, relation: &Name) -> BTreeSet<String> {
        if self.aliases.is_empty() {
            return self.reading.columns.clone();
        }
        let own = |qualifier: &str| {
            let named = self.aliases.iter().filter(|(name, _)| name == relation);
            named.map(|(_, alias)| alias.as_str()).any(|alias| alias == qualifier)
        };
        let qualified =
            self.qualified.iter().filter(|(qualifier, _)| own(qualifier)).map(|(_, column)| column.clone());
        self.bare.iter().cloned().chain(qualified).collect()
    }
}

/// Longer chains of operators would nest the tree too deep for a small stack.
const MOST_OPERATORS: usize = 300;

pub(super) fn read_expression(text: &str, dialect: Dialect) -> Reading {
    let Some(expression) = parse(text, dialect, |parser| parser.parse_expr()) else {
        return from_tokens(text, dialect).reading;
    };
    let mut names = Names::new(dialect);
    let _ = expression.visit(&mut names);
    names.found.reading
}

/// Words that stand for a value without parentheses.
const VALUES: &[&str] = &[
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "localtime",
    "localtimestamp",
    "session_user",
    "system_user",
    "user",
    "value",
];

/// The columns that an expression names, with their qualifiers; `None` where a query, a field or a named argument stands in it.
pub(super) fn certain_columns(text: &str, dialect: Dialect) -> Option<BTreeSet<(Option<String>, String)>> {
    let expression = parse(text, dialect, |parser| parser.parse_expr())?;
    let mut found = Certain { dialect, columns: BTreeSet::new() };
    expression.visit(&mut found).is_continue().then_some(found.columns)
}

struct Certain {
    dialect: Dialect,
    columns: BTreeSet<(Option<String>, String)>,
}

impl Visitor for Certain {
    type Break = ();

    fn pre_visit_query(&mut self, _: &ast::Query) -> ControlFlow<()> {
        ControlFlow::Break(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        match expression {
            Expr::Identifier(ident) => {
                let name = folded(ident, self.dialect);
                if ident.quote_style.is_some() || !VALUES.contains(&name.as_str()) {
                    self.columns.insert((None, name));
                }
            }
            Expr::CompoundIdentifier(parts) => {
                let [qualifier, column] = parts.as_slice() else { return ControlFlow::Break(()) };
                let qualifier = folded(qualifier, self.dialect);
                self.columns.insert((Some(qualifier), folded(column, self.dialect)));
            }
            Expr::Function(function) => {
                let name = function.name.to_string().to_lowercase();
                // Some words in the parentheses of these are no columns.
                let odd = ["xml", "json_", "normalize"].iter().any(|it| name.contains(it));
                let named = function.to_string();
                if odd || named.contains("=>") || named.contains(":=") {
                    return ControlFlow::Break(());
                }
            }
            Expr::CompoundFieldAccess { root, .. } if !matches!(**root, Expr::Identifier(_)) => {
                return ControlFlow::Break(());
            }
            Expr::CompoundFieldAccess { access_chain, .. } => {
                let field = |it: &ast::AccessExpr| matches!(it, ast::AccessExpr::Dot(_));
                if access_chain.iter().any(field) {
                    return ControlFlow::Break(());
                }
            }
            Expr::JsonAccess { .. }
            | Expr::Struct { .. }
            | Expr::Named { .. }
            | Expr::Dictionary(_)
            | Expr::Map(_)
            | Expr::MatchAgainst { .. }
            | Expr::Wildcard(_)
            | Expr::QualifiedWildcard(..)
            | Expr::Lambda(_) => return ControlFlow::Break(()),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

pub(super) fn read_query(text: &str, dialect: Dialect) -> QueryReading {
    let mut found = match parse(text, dialect, |parser| parser.parse_query()) {
        Some(query) => {
            let mut names = Names::new(dialect);
            let _ = query.visit(&mut names);
            names.found
        }
        None => from_tokens(text, dialect),
    };
    let own = own_names(text, dialect);
    found.relations.retain(|name| name.schema.is_some() || !own.contains(&name.name));
    found.relations.sort();
    found.relations.dedup();
    found
}

/// The relation of `SELECT columns [INTO new] FROM relation [WHERE …]`, where nothing else gives names.
pub(super) fn columns_of_single_relation(text: &str, dialect: Dialect) -> Option<(Name, BTreeSet<String>)> {
    // Most are refused by their words, which is a tenth of the work.
    let script = Script::read(text, dialect);
    let cursor = Cursor::new(text, dialect, &script.tokens);
    let words =
        |word: &str| script.tokens.iter().filter(|it| it.span.of(text).eq_ignore_ascii_case(word)).count();
    if words("select") != 1 || !cursor.is("select") || words("from") != 1 || cursor.has(&["join", "group"]) {
        return None;
    }
    let query = parse(text, dialect, |parser| parser.parse_query())?;
    let ast::SetExpr::Select(select) = &*query.body else { return None };
    let [source] = select.from.as_slice() else { return None };
    let plain = select.group_by == ast::GroupByExpr::Expressions(vec![], vec![]);
    let unnamed = |item: &SelectItem| matches!(item, SelectItem::UnnamedExpr(_) | SelectItem::Wildcard(_));
    let ast::TableFactor::Table { alias: None, args: None, .. } = &source.relation else { return None };
    if !plain || !source.joins.is_empty() || !select.projection.iter().all(unnamed) {
        return None;
    }
    let new = select.into.as_ref().and_then(|into| into.targets.last()).map(ToString::to_string);
    let mut names = Names::new(dialect);
    let _ = query.visit(&mut names);
    let mut columns = names.found.reading.columns;
    columns.retain(|column| new.as_ref() != Some(column));
    let mut found =
        names.found.relations.into_iter().filter(|name| new.as_deref() != Some(&name.to_string()));
    let relation = found.next()?;
    found.next().is_none().then_some((relation, columns))
}

/// The columns that have a value wherever the expression is true.
pub(super) fn implied_not_null(text: &str, dialect: Dialect) -> BTreeSet<String> {
    let mut columns = BTreeSet::new();
    let expression = parse(text, dialect, |parser| parser.parse_expr());
    let mut open: Vec<&Expr> = expression.iter().collect();
    while let Some(expression) = open.pop() {
        match expression {
            Expr::Nested(inner) => open.push(inner),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => open.extend([&**left, &**right]),
            Expr::IsNotNull(inner) => columns.extend(column(inner, dialect)),
            _ => {}
        }
    }
    columns
}

fn parse<T>(
    text: &str,
    dialect: Dialect,
    read: impl FnOnce(&mut Parser<'_>) -> Result<T, sqlparser::parser::ParserError>,
) -> Option<T> {
    let operators = text.split([' ', '+', '|', '-', '*', '\n', '(']).count();
    if operators > MOST_OPERATORS {
        return None;
    }
    let own = dialect;
    let dialect: &dyn sqlparser::dialect::Dialect = match dialect {
        Dialect::Postgres => &PostgreSqlDialect {},
        Dialect::Mysql => &MySqlDialect {},
        Dialect::Sqlite => &SQLiteDialect {},
    };
    let text = without_codes(text, own);
    let mut parser = Parser::new(dialect).try_with_sql(&text).ok()?;
    let tree = read(&mut parser).ok()?;
    (parser.peek_token().token == sqlparser::tokenizer::Token::EOF).then_some(tree)
}

struct Names {
    dialect: Dialect,
    found: QueryReading,
}

impl Names {
    fn new(dialect: Dialect) -> Self {
        Self { dialect, found: QueryReading::default() }
    }
}

impl Visitor for Names {
    type Break = ();

    fn pre_visit_relation(&mut self, relation: &ast::ObjectName) -> ControlFlow<()> {
        let parts: Vec<String> =
            relation.0.iter().filter_map(|part| part.as_ident()).map(|it| folded(it, self.dialect)).collect();
        if let Some((name, schemas)) = parts.split_last() {
            let name = Name { schema: schemas.last().cloned(), ..Name::new(name.clone()) };
            self.found.relations.push(name);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &ast::TableFactor) -> ControlFlow<()> {
        if let ast::TableFactor::Table { name, alias, .. } = factor {
            let parts: Vec<String> =
                name.0.iter().filter_map(|part| part.as_ident()).map(|it| folded(it, self.dialect)).collect();
            if let Some((last, schemas)) = parts.split_last() {
                let alias = alias.as_ref().map_or_else(|| last.clone(), |it| folded(&it.name, self.dialect));
                let name = Name { schema: schemas.last().cloned(), ..Name::new(last.clone()) };
                self.found.aliases.push((name, alias));
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        match expression {
            Expr::CompoundIdentifier(parts) if parts.len() > 1 => {
                let qualifier = folded(&parts[parts.len() - 2], self.dialect);
                let column = folded(&parts[parts.len() - 1], self.dialect);
                self.found.qualified.insert((qualifier, column));
            }
            _ => self.found.bare.extend(column(expression, self.dialect)),
        }
        self.found.reading.columns.extend(column(expression, self.dialect));
        if let Expr::Function(function) = expression {
            let name = function.name.0.last().and_then(|part| part.as_ident());
            self.found.reading.functions.extend(name.map(|it| folded(it, self.dialect)));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &ast::Query) -> ControlFlow<()> {
        let wildcard =
            |item: &SelectItem| matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..));
        if let ast::SetExpr::Select(select) = &*query.body
            && select.projection.iter().any(wildcard)
        {
            self.found.reading.columns.insert("*".to_owned());
        }
        ControlFlow::Continue(())
    }
}

fn column(expression: &Expr, dialect: Dialect) -> Option<String> {
    match expression {
        Expr::Identifier(ident) => Some(folded(ident, dialect)),
        Expr::CompoundIdentifier(parts) => parts.last().map(|ident| folded(ident, dialect)),
        Expr::Nested(inner) => column(inner, dialect),
        _ => None,
    }
}

fn folded(ident: &ast::Ident, dialect: Dialect) -> String {
    if ident.quote_style.is_some() { ident.value.clone() } else { fold(&ident.value, dialect) }
}

/// The names that the words of a text may be.
fn from_tokens(text: &str, dialect: Dialect) -> QueryReading {
    let script = Script::read(text, dialect);
    let mut cursor = Cursor::new(text, dialect, &script.tokens);
    let mut found = QueryReading::default();
    while !cursor.at_end() {
        if cursor.is_any(&["from", "join", "into", "update"]) {
            cursor.next_token();
            let mut ahead = cursor;
            ahead.eat("only");
            found.relations.extend(ahead.names());
            continue;
        }
        if cursor.is("*") {
            found.reading.columns.insert("*".to_owned());
        }
        let Some(name) = cursor.name() else {
            cursor.next_token();
            continue;
        };
        match cursor.peek_kind() {
            Some(TokenKind::Open) => found.reading.functions.insert(name.name),
            _ => found.reading.columns.insert(name.name),
        };
    }
    found
}

/// The names that a query gives to parts of itself: `WITH name AS (…)`.
fn own_names(text: &str, dialect: Dialect) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    if !text.to_ascii_lowercase().contains("with") {
        return names;
    }
    let script = Script::read(text, dialect);
    let mut cursor = Cursor::new(text, dialect, &script.tokens);
    while !cursor.at_end() {
        let mut ahead = cursor;
        let name = ahead.ident();
        ahead.group();
        let named = ahead.eat("as") && {
            ahead.eat("not");
            ahead.eat("materialized");
            ahead.peek_kind() == Some(TokenKind::Open)
        };
        names.extend(name.filter(|_| named).map(|ident| ident.name));
        cursor.next_token();
    }
    names
}

/// The text with names in the place of `U&"…"`, which sqlparser takes for a sum of bits.
fn without_codes(text: &str, dialect: Dialect) -> Cow<'_, str> {
    if !text.contains("&\"") {
        return Cow::Borrowed(text);
    }
    let script = Script::read(text, dialect);
    let (mut plain, mut copied) = (String::new(), 0);
    for token in script.tokens.iter().filter(|it| it.kind == TokenKind::Quoted) {
        let coded = token.span.of(text).starts_with(['u', 'U']);
        let name = Cursor::new(text, dialect, std::slice::from_ref(token)).ident().filter(|_| coded);
        if let Some(name) = name {
            plain.push_str(&text[copied..token.span.start]);
            plain.push_str(&format!("\"{}\"", name.name.replace('"', "\"\"")));
            copied = token.span.end;
        }
    }
    Cow::Owned(plain + &text[copied..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(set: &BTreeSet<String>) -> String {
        set.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    #[track_caller]
    fn check(text: &str, functions: &str, columns: &str) {
        let reading = read_expression(text, Dialect::Postgres);
        assert_eq!(
            (names(&reading.functions).as_str(), names(&reading.columns).as_str()),
            (functions, columns)
        );
    }

    #[test]
    fn functions_columns_and_types_are_told_apart() {
        check("lower(a) || b::text", "lower", "a b");
        check("now() AT TIME ZONE 'utc'", "now", "");
        check("CURRENT_TIMESTAMP", "current_timestamp", "");
        check("'x'::mood", "", "");
        check("pg_catalog.gen_random_uuid()", "gen_random_uuid", "");
        check("-1", "", "");
        check(r#"U&"\0061" > 0 AND u&"b""c" = 'x'"#, "", "a b\"c");
        check("extract(epoch from t.at) > 5 AND \"Kind\" IN ('a')", "", "Kind at");
    }

    #[test]
    fn what_the_parser_refuses_is_read_from_tokens() {
        check(
            "f(a) ~~~> g(b) c",
            "f g",
            "c a b".split(' ').collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(" ").as_str(),
        );
    }

    #[test]
    fn long_chains_do_not_overflow_the_stack() {
        let chain = vec!["a = 1"; 100_000].join(" AND ");
        assert!(read_expression(&chain, Dialect::Postgres).columns.contains("a"));
        let nested = format!("{}a{}", "(".repeat(20_000), ")".repeat(20_000));
        assert!(read_expression(&nested, Dialect::Postgres).columns.contains("a"));
    }

    #[test]
    fn queries_name_their_relations_but_not_their_own() {
        let query =
            "WITH recent AS (SELECT id FROM s.orders) SELECT u.name, * FROM users u JOIN recent USING (id)";
        let found = read_query(query, Dialect::Postgres);
        let relations: Vec<String> = found.relations.iter().map(Name::to_string).collect();
        assert_eq!(relations, ["users", "s.orders"]);
        assert!(found.reading.columns.contains("*") && found.reading.columns.contains("name"));
    }

    #[test]
    fn not_null_is_implied_by_each_side_of_an_and() {
        assert_eq!(
            names(&implied_not_null("(a IS NOT NULL) AND (b IS NOT NULL AND c > 0)", Dialect::Postgres)),
            "a b"
        );
        assert_eq!(names(&implied_not_null("a IS NOT NULL OR b IS NOT NULL", Dialect::Postgres)), "");
    }
}
