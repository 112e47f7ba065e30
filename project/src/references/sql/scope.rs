//! Which tables a statement names, under which aliases, and which of them a bare column may belong to.

use lockkeeper_core::reference::Certainty;

use super::token::Token;

/// A table where tables stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Table {
    pub is_ours: bool,
    /// The index of its name among the tokens.
    pub token: usize,
    pub alias_token: Option<usize>,
    /// The word that a table follows: `from`, `into` ...
    pub introduced_by: &'static str,
    pub introduced_at: usize,
    /// The parenthesis that it stands in.
    scope: Option<usize>,
}

impl Table {
    /// Whether a qualifier means this table.
    pub fn is_called(&self, text: &str, tokens: &[Token], qualifier: &str) -> bool {
        match self.alias_token {
            Some(alias) => tokens[alias].is_name(text, qualifier),
            None => tokens[self.token].is_name(text, qualifier),
        }
    }
}

/// The tables of a statement and its parentheses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Scopes {
    pub tables: Vec<Table>,
    /// For each token the parenthesis that it stands in, and how deep that is.
    around: Vec<(Option<usize>, usize)>,
}

const INTRODUCERS: &[&str] = &[
    "from",
    "join",
    "into",
    "update",
    "table",
    "truncate",
    "copy",
    "references",
    "using",
    "only",
    "on",
    "exists",
    "view",
    "replace",
];

/// Words that end a list of tables, and that are no alias.
const KEYWORDS: &[&str] = &[
    "where",
    "set",
    "on",
    "group",
    "order",
    "having",
    "limit",
    "offset",
    "returning",
    "values",
    "select",
    "union",
    "except",
    "intersect",
    "inner",
    "left",
    "right",
    "full",
    "cross",
    "join",
    "natural",
    "using",
    "for",
    "window",
    "fetch",
    "add",
    "drop",
    "alter",
    "rename",
    "owner",
    "cascade",
    "restrict",
    "when",
    "do",
    "default",
    "with",
    "to",
    "from",
    "in",
    "is",
    "lateral",
    "if",
    "not",
    "begin",
    "execute",
    "enable",
    "disable",
    "partition",
    "tablesample",
    "as",
    "and",
    "or",
    "then",
    "loop",
    "only",
    "set",
];

/// Reads the tables of one statement.
pub(super) fn read(text: &str, tokens: &[Token], ours: &str) -> Scopes {
    let mut scopes = Scopes { tables: Vec::new(), around: parentheses(text, tokens) };
    let declares = tokens.first().is_some_and(|it| {
        ["create", "drop", "comment", "grant", "revoke", "alter"].iter().any(|verb| it.is(text, verb))
    });
    let mut index = 0;
    while index < tokens.len() {
        let word = INTRODUCERS.iter().find(|it| tokens[index].is(text, it)).copied();
        let introduces = match word {
            Some("on" | "exists" | "view" | "replace") => declares,
            Some("update") => (!declares || index == 0) && !is_clause(text, tokens, index),
            Some("from") => !is_distinct_from(text, tokens, index),
            other => other.is_some(),
        };
        index += 1;
        if let Some(word) = word.filter(|_| introduces) {
            index = list(text, tokens, ours, (word, index - 1), &mut scopes);
        }
    }
    scopes
}

/// `FOR UPDATE`, `ON UPDATE`, `ON DUPLICATE KEY UPDATE`.
fn is_clause(text: &str, tokens: &[Token], index: usize) -> bool {
    let before = index.checked_sub(1).map(|at| tokens[at]);
    before.is_some_and(|token| ["for", "on", "key"].iter().any(|it| token.is(text, it)))
}

fn is_distinct_from(text: &str, tokens: &[Token], index: usize) -> bool {
    index.checked_sub(1).is_some_and(|before| tokens[before].is(text, "distinct"))
        || inside_extract(text, tokens, index)
}

/// `extract(year FROM day)`, `trim(both FROM name)`, `substring(name FROM 1)`.
fn inside_extract(text: &str, tokens: &[Token], index: usize) -> bool {
    let call = |back: usize| index.checked_sub(back).map(|at| tokens[at]);
    let names = ["extract", "trim", "substring", "overlay"];
    call(2).is_some_and(|it| it.is(text, "("))
        && call(3).is_some_and(|it| names.iter().any(|name| it.is(text, name)))
}

/// Reads `a, b AS c` behind an introducing word; gives the index behind it.
fn list(
    text: &str,
    tokens: &[Token],
    ours: &str,
    introduced: (&'static str, usize),
    scopes: &mut Scopes,
) -> usize {
    let mut index = introduced.1 + 1;
    loop {
        let Some(name) = name_at(text, tokens, index) else {
            return index;
        };
        let is_keyword = KEYWORDS.iter().any(|it| tokens[name].is(text, it))
            || INTRODUCERS.iter().any(|it| tokens[name].is(text, it));
        if is_keyword {
            return index;
        }
        let alias = alias_at(text, tokens, name + 1);
        scopes.tables.push(Table {
            is_ours: tokens[name].is_name(text, ours),
            token: name,
            alias_token: alias,
            introduced_by: introduced.0,
            introduced_at: introduced.1,
            scope: scopes.around[introduced.1].0,
        });
        index = alias.unwrap_or(name) + 1;
        let goes_on = matches!(introduced.0, "from" | "using" | "truncate")
            && tokens.get(index).is_some_and(|it| it.is(text, ","));
        if !goes_on {
            return index;
        }
        index += 1;
    }
}

/// The last part of a qualified name.
fn name_at(text: &str, tokens: &[Token], mut index: usize) -> Option<usize> {
    tokens.get(index).filter(|it| it.is_word(text))?;
    while tokens.get(index + 1).is_some_and(|it| it.is(text, "."))
        && tokens.get(index + 2).is_some_and(|it| it.is_word(text))
    {
        index += 2;
    }
    Some(index)
}

fn alias_at(text: &str, tokens: &[Token], index: usize) -> Option<usize> {
    let at = if tokens.get(index)?.is(text, "as") { index + 1 } else { index };
    let token = tokens.get(at)?;
    let is_alias = token.is_word(text) && !KEYWORDS.iter().any(|it| token.is(text, it));
    is_alias.then_some(at)
}

fn parentheses(text: &str, tokens: &[Token]) -> Vec<(Option<usize>, usize)> {
    let mut open: Vec<usize> = Vec::new();
    let around = |open: &Vec<usize>| (open.last().copied(), open.len());
    let mut result = Vec::with_capacity(tokens.len());
    for (index, token) in tokens.iter().enumerate() {
        result.push(around(&open));
        if token.is(text, "(") {
            open.push(index);
        } else if token.is(text, ")") {
            open.pop();
            // The closing parenthesis stands where the opening one stands.
            result[index] = around(&open);
        }
    }
    result
}

impl Scopes {
    /// How many parentheses are open around a token.
    pub fn depth(&self, index: usize) -> usize {
        self.around.get(index).map_or(0, |around| around.1)
    }

    /// The table whose list of columns this parenthesis opens.
    pub fn written_at(&self, parenthesis: usize) -> Option<&Table> {
        let behind = |table: &&Table| table.alias_token.unwrap_or(table.token) + 1 == parenthesis;
        self.tables.iter().filter(behind).find(|table| matches!(table.introduced_by, "into" | "copy"))
    }

    /// The table that an UPDATE or INSERT before this token writes.
    pub fn written_before(&self, index: usize) -> Option<&Table> {
        let is_written =
            |it: &&Table| matches!(it.introduced_by, "into" | "update" | "only") && it.token < index;
        self.tables.iter().rfind(is_written)
    }

    /// How surely a column without qualifier belongs to our table: the innermost parenthesis with tables decides.
    pub fn unqualified(&self, index: usize) -> Option<Certainty> {
        let mut scope = self.around.get(index)?.0;
        let mut inner_others = false;
        loop {
            let here: Vec<&Table> = self
                .tables
                .iter()
                .filter(|table| table.scope == scope && table.introduced_by != "view")
                .collect();
            let ours = here.iter().any(|table| table.is_ours);
            let others = here.iter().any(|table| !table.is_ours);
            match (ours, others) {
                (true, _) if inner_others => return Some(Certainty::Possible),
                (true, true) => return Some(Certainty::Likely),
                (true, false) => return Some(Certainty::Certain),
                (false, _) => inner_others |= others,
            }
            scope = self.around[scope?].0;
        }
    }
}
