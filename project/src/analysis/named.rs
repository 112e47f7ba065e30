//! Which object a word of a statement names: read from the tokens and the schemas around it, so that half-typed statements are understood as far as they go.

use lockkeeper_core::catalog::{Catalog, RelationName};
use lockkeeper_core::dialect::{Ident, Name};
use lockkeeper_core::operation::TypeName;
use lockkeeper_core::statement::{Cursor, Script, Token, TokenKind};
use lockkeeper_core::text::Span;

use super::origins::Object;

/// Words before the name of a relation.
const BEFORE_RELATION: &[&str] = &[
    "table",
    "into",
    "from",
    "join",
    "update",
    "on",
    "references",
    "view",
    "index",
    "sequence",
    "of",
    "like",
    "inherits",
    "truncate",
    "copy",
    "using",
    "analyze",
    "vacuum",
    "reindex",
    "partition",
    "lock",
    "cluster",
    "parent",
    "inherit",
];

/// Words between the word that says what comes and its name.
const BETWEEN: &[&str] = &["if", "not", "exists", "only", "concurrently", "lateral", "("];

/// What may come at a place of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// The name of a relation.
    Relation,
    /// The name of a type.
    Type,
    /// The name of a constraint.
    Constraint,
    /// Anything, columns first.
    Any,
}

/// A statement with what it names.
#[derive(Debug)]
pub struct Sentence<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    /// The schemas in which names are looked up, the first that knows one counts.
    catalogs: Vec<&'a Catalog>,
    /// The relations of the statement, each with the word that stands for it.
    relations: Vec<(String, RelationName)>,
}

impl<'a> Sentence<'a> {
    /// Reads a part of a text: one statement.
    pub fn read(text: &'a str, span: Span, catalogs: Vec<&'a Catalog>) -> Option<Self> {
        let dialect = catalogs.first()?.dialect();
        let tokens = Script::read_part(text, span, dialect).tokens;
        let mut sentence = Self { text, tokens, catalogs, relations: Vec::new() };
        sentence.relations = sentence.find_relations();
        Some(sentence)
    }

    /// The relations that it names, each with the word that stands for it: an alias or its name.
    pub fn relations(&self) -> &[(String, RelationName)] {
        &self.relations
    }

    /// The object whose name stands at a place, and where.
    pub fn object_at(&self, offset: usize) -> Option<(Object, Span)> {
        let touching = |it: &&Token| it.span.touches(offset) && is_word(it);
        // Behind a name and before a bracket both touch: the word counts.
        let token = self.tokens.iter().find(touching)?;
        let at = self.tokens.iter().position(|it| it == token)?;
        Some((self.object(at)?, token.span))
    }

    /// The places where it names the object.
    pub fn places_of<'s>(&'s self, object: &'s Object) -> impl Iterator<Item = Span> + 's {
        let named = move |at: usize| self.ident(at).is_some_and(|it| it.name == object.name());
        let places =
            (0..self.tokens.len()).filter(move |at| named(*at) && self.object(*at).as_ref() == Some(object));
        places.map(|at| self.tokens[at].span)
    }

    /// Every name with what it stands for, in order.
    pub fn objects(&self) -> impl Iterator<Item = (Object, Span)> {
        let named =
            |at: usize| Some((self.object(at).filter(|_| is_word(&self.tokens[at]))?, self.tokens[at].span));
        (0..self.tokens.len()).filter_map(named)
    }

    /// The word at a place.
    pub fn word_at(&self, offset: usize) -> Option<Span> {
        self.tokens.iter().find(|it| it.span.touches(offset) && is_word(it)).map(|it| it.span)
    }

    /// What may come behind the tokens that end before a place.
    pub fn expected_at(&self, offset: usize) -> Expected {
        self.expected(self.before(offset))
    }

    /// The word before the point that ends before a place: what it qualifies is asked for.
    pub fn qualifier_at(&self, offset: usize) -> Option<String> {
        let at = self.before(offset);
        self.qualifier(at).map(|it| it.name)
    }

    /// The relation that a word stands for.
    pub fn stands_for(&self, word: &str) -> Option<&RelationName> {
        self.relations.iter().find(|(alias, _)| alias == word).map(|(_, name)| name)
    }

    /// How many tokens end before a place, the one that is being typed left out.
    fn before(&self, offset: usize) -> usize {
        let typed = |it: &Token| is_word(it) && it.span.end == offset;
        self.tokens.iter().position(|it| it.span.end > offset || typed(it)).unwrap_or(self.tokens.len())
    }

    fn ident(&self, at: usize) -> Option<Ident> {
        let dialect = self.catalogs.first()?.dialect();
        Cursor::new(self.text, dialect, self.tokens.get(at..)?).ident()
    }

    fn is(&self, at: usize, word: &str) -> bool {
        self.tokens.get(at).is_some_and(|it| it.span.of(self.text).eq_ignore_ascii_case(word))
    }

    fn qualifier(&self, at: usize) -> Option<Ident> {
        let point = at.checked_sub(1).filter(|it| self.is(*it, "."))?;
        self.ident(point.checked_sub(1)?)
    }

    /// What the words before a token say of it.
    fn expected(&self, at: usize) -> Expected {
        let start = if at >= 2 && self.is(at - 1, ".") { at - 2 } else { at };
        let skipped = |it: &usize| BETWEEN.iter().any(|word| self.is(*it, word));
        let Some(lead) = (0..start).rev().find(|it| !skipped(it)) else { return Expected::Any };
        let is = |words: &[&str]| words.iter().any(|word| self.is(lead, word));
        // `ON CONFLICT`, `ON DELETE`, `JOIN … USING (column)` and `INDEX … ON t USING btree` name no relation behind these words.
        if is(&["using", "partition", "of"]) && self.is(lead + 1, "(") {
            return Expected::Any;
        }
        // The expression of a change of type, or the method of an index.
        if is(&["using"]) && ["alter", "create"].iter().any(|it| self.is(0, it)) {
            return Expected::Any;
        }
        if is(&["type", "::", "domain"]) {
            return Expected::Type;
        }
        if is(&["constraint"]) {
            return Expected::Constraint;
        }
        if is(BEFORE_RELATION) { Expected::Relation } else { Expected::Any }
    }

    fn relation(&self, schema: Option<&Ident>, name: &Ident) -> Option<RelationName> {
        let name =
            Name { schema: schema.map(|it| it.name.clone()), name: name.name.clone(), span: name.span };
        let known = |catalog: &&&Catalog| catalog.relation(&catalog.resolve(&name)).is_some();
        self.catalogs.iter().find(known).map(|catalog| catalog.resolve(&name))
    }

    fn find_relations(&self) -> Vec<(String, RelationName)> {
        let mut found: Vec<(String, RelationName)> = Vec::new();
        let mut in_list = false;
        let mut at = 0;
        while at < self.tokens.len() {
            let Some(first) = self.ident(at) else {
                in_list &= self.tokens[at].kind == TokenKind::Comma;
                at += 1;
                continue;
            };
            let second = if self.is(at + 1, ".") { self.ident(at + 2) } else { None };
            let behind = if second.is_some() { at + 3 } else { at + 1 };
            let meant = in_list || self.expected(at) == Expected::Relation;
            let relation = meant.then(|| match &second {
                Some(name) => self.relation(Some(&first), name),
                None => self.relation(None, &first),
            });
            let relation = relation.flatten();
            in_list = relation.is_some();
            at = if relation.is_some() { behind } else { at + 1 };
            if let Some(relation) = relation {
                found.push((relation.name.to_string(), relation.clone()));
                let alias = behind + usize::from(self.is(behind, "as"));
                let alias = self.ident(alias).filter(|it| !is_keyword(&it.name));
                found.extend(alias.map(|it| (it.name, relation)));
            }
        }
        found.dedup();
        found
    }

    fn object(&self, at: usize) -> Option<Object> {
        let own = self.ident(at)?;
        if let Some(qualifier) = self.qualifier(at) {
            let column = self.stands_for(&qualifier.name).and_then(|it| self.column_of(it, &own.name));
            let relation = || self.relation(Some(&qualifier), &own).map(Object::Relation);
            return column.or_else(relation).or_else(|| self.ty(Some(&qualifier), &own));
        }
        if self.is(at + 1, ".")
            && let Some(relation) = self.stands_for(&own.name)
        {
            return Some(Object::Relation(relation.clone()));
        }
        let relation = || self.relation(None, &own).map(Object::Relation);
        let column = || self.relations.iter().find_map(|(_, it)| self.column_of(it, &own.name));
        let constraint = || self.relations.iter().find_map(|(_, it)| self.constraint_of(it, &own.name));
        let ty = || self.ty(None, &own);
        match self.expected(at) {
            Expected::Relation => relation().or_else(column),
            Expected::Type => ty(),
            Expected::Constraint => constraint(),
            Expected::Any => {
                let alias = || self.stands_for(&own.name).cloned().map(Object::Relation);
                column().or_else(constraint).or_else(ty).or_else(alias).or_else(relation)
            }
        }
    }

    fn column_of(&self, relation: &RelationName, column: &str) -> Option<Object> {
        let has = |catalog: &&Catalog| {
            let of_table = catalog.table(relation).is_some_and(|it| it.column(column).is_some());
            let of_view = || {
                let columns = catalog.view(relation).and_then(|it| it.columns.as_ref());
                columns.is_some_and(|it| it.iter().any(|own| own == column))
            };
            of_table || of_view()
        };
        self.catalogs.iter().any(has).then(|| Object::Column(relation.clone(), column.into()))
    }

    fn constraint_of(&self, relation: &RelationName, name: &str) -> Option<Object> {
        let has =
            |catalog: &&Catalog| catalog.table(relation).is_some_and(|it| it.constraint(name).is_some());
        self.catalogs.iter().any(has).then(|| Object::Constraint(relation.clone(), name.into()))
    }

    fn ty(&self, schema: Option<&Ident>, name: &Ident) -> Option<Object> {
        let ty = TypeName {
            schema: schema.map(|it| it.name.clone()),
            name: name.name.clone(),
            ..TypeName::default()
        };
        let known = self.catalogs.iter().find(|it| it.user_type(&ty).is_some())?;
        let name = Name { schema: ty.schema, name: ty.name, span: Span::default() };
        Some(Object::Type(known.resolve(&name)))
    }
}

fn is_word(token: &Token) -> bool {
    matches!(token.kind, TokenKind::Word | TokenKind::Quoted)
}

/// A word that goes on with the statement behind a relation, so that it is no alias.
fn is_keyword(word: &str) -> bool {
    const WORDS: &[&str] = &[
        "add",
        "alter",
        "drop",
        "rename",
        "set",
        "where",
        "join",
        "left",
        "right",
        "inner",
        "outer",
        "full",
        "cross",
        "on",
        "using",
        "group",
        "order",
        "having",
        "limit",
        "union",
        "values",
        "select",
        "for",
        "to",
        "enable",
        "disable",
        "as",
        "attach",
        "detach",
        "validate",
        "owner",
        "returning",
        "natural",
        "cascade",
        "restrict",
        "default",
        "when",
        "with",
        "inherit",
        "no",
        "force",
        "replica",
        "cluster",
        "reset",
        "is",
        "in",
        "from",
        "and",
        "or",
        "not",
        "partition",
        "of",
    ];
    WORDS.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lockkeeper_core::check::{Part, check};
    use lockkeeper_core::dialect::Target;
    use lockkeeper_core::framework::Transaction;

    const SCHEMA: &str = "CREATE TYPE mood AS ENUM ('a'); CREATE TABLE users (id bigint PRIMARY KEY, name text, status text); \
        CREATE TABLE orders (id bigint, user_id bigint CONSTRAINT buyer REFERENCES users, state mood); CREATE TABLE status (id int); \
        CREATE INDEX orders_state ON orders (state);";

    /// Every word that names something, as `word=object`.
    #[track_caller]
    fn named(sql: &str, expected: &[&str]) {
        let part =
            Part { text: SCHEMA, span: Span::new(0, SCHEMA.len()), transaction: Transaction::Autocommit };
        let target = Target::default();
        let catalog = check(part, &target, &Catalog::empty(target.dialect)).after;
        let sentence = Sentence::read(sql, Span::new(0, sql.len()), vec![&catalog]).expect("a catalog");
        let mut found = Vec::new();
        for token in &sentence.tokens {
            if let Some((object, span)) =
                sentence.object_at(token.span.start).filter(|(_, it)| *it == token.span)
            {
                let shown = match &object {
                    Object::Relation(name) => format!("relation {}", name.name),
                    Object::Column(table, name) => format!("column {}.{name}", table.name),
                    Object::Constraint(table, name) => format!("constraint {}.{name}", table.name),
                    Object::Type(name) => format!("type {}", name.name),
                };
                found.push(format!("{}={shown}", span.of(sql)));
            }
        }
        assert_eq!(found, expected, "{sql}");
    }

    #[test]
    fn words_are_what_their_place_makes_of_them() {
        named(
            "ALTER TABLE users RENAME COLUMN name TO n",
            &["users=relation users", "name=column users.name"],
        );
        named(
            "ALTER TABLE IF EXISTS ONLY public.users DROP COLUMN IF EXISTS status",
            &["users=relation users", "status=column users.status"],
        );
        named("DROP TABLE status, users", &["status=relation status", "users=relation users"]);
        named(
            "ALTER TABLE orders DROP CONSTRAINT buyer",
            &["orders=relation orders", "buyer=constraint orders.buyer"],
        );
        named(
            "ALTER TABLE users ALTER COLUMN status TYPE mood USING status::mood",
            &[
                "users=relation users",
                "status=column users.status",
                "mood=type mood",
                "status=column users.status",
                "mood=type mood",
            ],
        );
        named("DROP INDEX CONCURRENTLY orders_state", &["orders_state=relation orders_state"]);
        named(
            "CREATE INDEX i ON orders (user_id)",
            &["orders=relation orders", "user_id=column orders.user_id"],
        );
    }

    #[test]
    fn aliases_stand_for_their_tables() {
        named(
            "UPDATE orders o SET state = NULL FROM users AS u WHERE u.id = o.user_id AND name = ''",
            &[
                "orders=relation orders",
                "o=relation orders",
                "state=column orders.state",
                "users=relation users",
                "u=relation users",
                "u=relation users",
                "id=column users.id",
                "o=relation orders",
                "user_id=column orders.user_id",
                "name=column users.name",
            ],
        );
    }

    #[test]
    fn half_a_statement_says_what_may_come() {
        let catalog = Catalog::empty(Target::default().dialect);
        let expected = |sql: &str| {
            let sentence = Sentence::read(sql, Span::new(0, sql.len()), vec![&catalog]).expect("a catalog");
            (sentence.expected_at(sql.len()), sentence.qualifier_at(sql.len()))
        };
        assert_eq!(expected("ALTER TABLE us"), (Expected::Relation, None));
        assert_eq!(
            expected("ALTER TABLE users ADD a int; DROP TABLE IF EXISTS "),
            (Expected::Relation, None)
        );
        assert_eq!(expected("ALTER TABLE users ALTER COLUMN a TYPE "), (Expected::Type, None));
        assert_eq!(expected("SELECT u.na"), (Expected::Any, Some("u".to_owned())));
    }
}
