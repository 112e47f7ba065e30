//! What depends on an object, so that the server drops the object only with CASCADE (pg_depend).

use super::{Catalog, Demand, RelationKind, RelationName, RoutineName, Setting, Table, UserType};
use crate::dialect::Name;
use crate::operation::{Expression, ObjectKind, QueryText, TypeName};
use crate::statement::{Cursor, Script, TokenKind};

/// An object that others may depend on.
#[derive(Debug, Clone, PartialEq)]
pub enum Thing {
    /// A function or procedure.
    Routine(RoutineName),
    /// A type or domain, or the row type of a table or view.
    Type(RelationName),
    /// A sequence.
    Sequence(RelationName),
    /// An extension.
    Extension(String),
}

/// What depends on an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dependent {
    /// A trigger of a relation.
    Trigger(RelationName, String),
    /// A policy of a table.
    Policy(RelationName, String),
    /// A column, by its type or the expression that makes it.
    Column(RelationName, String),
    /// The default of a column.
    Default(RelationName, String),
    /// A constraint of a table.
    Constraint(RelationName, String),
    /// An index of a relation.
    Index(RelationName, RelationName),
    /// A view.
    View(RelationName),
    /// A type or domain.
    Type(RelationName),
    /// A function or procedure.
    Routine(RoutineName),
}

impl Dependent {
    /// The relation that it is, or is a part of.
    pub fn relation(&self) -> Option<&RelationName> {
        match self {
            Self::Trigger(relation, _)
            | Self::Policy(relation, _)
            | Self::Column(relation, _)
            | Self::Default(relation, _)
            | Self::Constraint(relation, _)
            | Self::Index(relation, _)
            | Self::View(relation) => Some(relation),
            Self::Type(_) | Self::Routine(_) => None,
        }
    }
}

/// What an extension brings (pg_depend on 15): its name, types, functions and operator classes.
type Parts = (&'static str, &'static [&'static str], &'static [&'static str], &'static [&'static str]);

const EXTENSIONS: &[Parts] = &[
    ("citext", &["citext"], &[], &["citext_ops"]),
    ("cube", &["cube"], &[], &[]),
    ("hstore", &["hstore"], &["hstore", "hstore_to_json", "hstore_to_jsonb"], &[]),
    ("intarray", &["query_int"], &[], &["gin__int_ops", "gist__int_ops", "gist__intbig_ops"]),
    ("ltree", &["ltree", "lquery", "ltxtquery"], &["text2ltree", "nlevel", "subpath"], &["gist_ltree_ops"]),
    ("pg_trgm", &[], &["similarity", "word_similarity", "show_trgm"], &["gin_trgm_ops", "gist_trgm_ops"]),
    ("pgcrypto", &[], &["crypt", "digest", "hmac", "gen_salt", "gen_random_bytes", "pgp_sym_encrypt"], &[]),
    ("unaccent", &[], &["unaccent"], &[]),
    ("fuzzystrmatch", &[], &["levenshtein", "metaphone", "dmetaphone", "soundex"], &[]),
    (
        "uuid-ossp",
        &[],
        &[
            "uuid_generate_v1",
            "uuid_generate_v1mc",
            "uuid_generate_v3",
            "uuid_generate_v4",
            "uuid_generate_v5",
        ],
        &[],
    ),
];

/// Types of the server that tables are called like.
const BUILT_IN: &[&str] = &[
    "bit",
    "bool",
    "box",
    "char",
    "cidr",
    "circle",
    "date",
    "inet",
    "interval",
    "json",
    "jsonb",
    "line",
    "lseg",
    "money",
    "name",
    "numeric",
    "path",
    "point",
    "polygon",
    "record",
    "text",
    "time",
    "timestamp",
    "trigger",
    "uuid",
    "varchar",
    "void",
    "xml",
];

impl Catalog {
    /// All that depends on an object, as far as it is known for certain, in order.
    pub fn dependents(&self, on: &Thing) -> Vec<Dependent> {
        let mut search = Search { catalog: self, on, found: Vec::new() };
        if search.is_unclear() {
            return Vec::new();
        }
        for (name, relation) in self.relations() {
            // A part of the history that nobody read may have changed what was there before.
            if relation.uncertain || !self.is_complete() && !self.is_new(name) {
                continue;
            }
            match &relation.kind {
                RelationKind::Table(table) => search.table(name, table),
                RelationKind::View(view) => search.view(name, view),
                RelationKind::Index(_) | RelationKind::Sequence(_) => {}
            }
        }
        if self.is_complete() {
            search.types();
            search.routines();
        }
        search.found.sort();
        search.found.dedup();
        search.found
    }

    /// The default of a column is a value of this sequence.
    fn counts_by(&self, default: &Expression, sequence: &RelationName) -> bool {
        self.sequences_in(default).contains(sequence)
    }

    /// The sequences whose values a default is made of.
    pub fn sequences_in(&self, default: &Expression) -> Vec<RelationName> {
        let mut found = Vec::new();
        let counts = |it: &[u8]| it.eq_ignore_ascii_case(b"nextval");
        if !default.text.as_bytes().windows(7).any(counts) {
            return found;
        }
        let script = Script::read(&default.text, self.dialect);
        let mut cursor = Cursor::new(&default.text, self.dialect, &script.tokens);
        while let Some(token) = cursor.next_token() {
            let text = token.span.of(&default.text).trim_matches('\'');
            if token.kind == TokenKind::String && !(cursor.is("::") && cursor.is_at(1, "text")) {
                let inner = Script::read(text, self.dialect);
                let named = Cursor::new(text, self.dialect, &inner.tokens).name();
                found.extend(named.map(|it| self.resolve(&it)));
            }
        }
        found
    }
}

struct Search<'a> {
    catalog: &'a Catalog,
    on: &'a Thing,
    found: Vec<Dependent>,
}

impl Search<'_> {
    /// Whether names do not say which of several is meant.
    fn is_unclear(&self) -> bool {
        match self.on {
            Thing::Routine(routine) => {
                self.catalog.definitions().filter(|(it, _)| it.name == routine.name).count() > 1
            }
            Thing::Type(ty) => BUILT_IN.contains(&&*ty.name),
            Thing::Sequence(_) | Thing::Extension(_) => false,
        }
    }

    fn parts(&self) -> Option<&'static Parts> {
        let Thing::Extension(name) = self.on else { return None };
        EXTENSIONS.iter().find(|(it, ..)| it == name)
    }

    fn is_type(&self, name: &Name) -> bool {
        match self.on {
            // To look a name up costs much more than to see that it is another one.
            Thing::Type(ty) => *ty.name == *name.name && self.catalog.resolve(name) == *ty,
            Thing::Extension(_) => {
                let brings = self.parts().is_some_and(|(_, types, ..)| types.contains(&name.name.as_str()));
                brings && self.catalog.type_named(name).is_none()
            }
            Thing::Routine(_) | Thing::Sequence(_) => false,
        }
    }

    fn is_type_of(&self, of: &TypeName) -> bool {
        let may_be = match self.on {
            Thing::Type(ty) => *ty.name == *of.name,
            Thing::Extension(_) => true,
            Thing::Routine(_) | Thing::Sequence(_) => false,
        };
        may_be && self.is_type(&Name { schema: of.schema.clone(), ..Name::new(&*of.name) })
    }

    fn is_routine(&self, name: &str) -> bool {
        match self.on {
            Thing::Routine(routine) => &*routine.name == name,
            Thing::Extension(_) => {
                self.parts().is_some_and(|(_, _, functions, _)| functions.contains(&name))
                    && self.catalog.definitions().all(|(it, _)| &*it.name != name)
            }
            Thing::Type(_) | Thing::Sequence(_) => false,
        }
    }

    /// Whether an expression or query calls the routine or casts to the type.
    fn text(&self, text: &str) -> bool {
        let dialect = self.catalog.dialect();
        match self.on {
            Thing::Routine(routine) if !text.contains(&*routine.name) => false,
            Thing::Type(ty) if !text.contains(&*ty.name) => false,
            Thing::Sequence(sequence) => self.catalog.counts_by(&Expression::new(text), sequence),
            _ => {
                let query = QueryText { text: text.to_owned(), ..QueryText::default() };
                query.calls(dialect, |name| self.is_routine(name)) || self.casts(text)
            }
        }
    }

    fn casts(&self, text: &str) -> bool {
        let dialect = self.catalog.dialect();
        let script = Script::read(text, dialect);
        let mut cursor = Cursor::new(text, dialect, &script.tokens);
        let mut in_cast = 0;
        while !cursor.at_end() {
            in_cast += usize::from(cursor.is("cast"));
            let cast = cursor.eat("::") || in_cast > 0 && cursor.eat("as");
            let mut ahead = cursor;
            if let Some(name) = ahead.name() {
                let literal = ahead.peek_kind() == Some(TokenKind::String);
                if (cast || literal) && self.is_type(&name) {
                    return true;
                }
                cursor = ahead;
            } else {
                cursor.next_token();
            }
        }
        false
    }

    fn operator_class(&self, text: &str) -> bool {
        self.parts().is_some_and(|(.., classes)| text.split_whitespace().any(|word| classes.contains(&word)))
    }

    fn table(&mut self, name: &RelationName, table: &Table) {
        for column in &table.columns {
            let own = || column.name.clone();
            let made = column.generated.as_ref().is_some_and(|it| self.text(&it.expression.text));
            if self.is_type_of(&column.ty) || made {
                self.found.push(Dependent::Column(name.clone(), own()));
            }
            let by_default = column.default.as_ref().is_some_and(|it| it.text.contains("nextval"));
            let counts = matches!(self.on, Thing::Sequence(it) if column.sequence.as_ref() == Some(it))
                && (by_default || column.identity.is_some());
            // A sequence with another name by now is told by the column that it belongs to.
            let counted = matches!(self.on, Thing::Sequence(_)) && column.sequence.is_some();
            let kept = matches!(self.on, Thing::Type(ty) if column.default_of.as_ref() == Some(ty));
            let default = column.default.as_ref().is_some_and(|it| self.text(&it.text));
            if kept || counts || default && !counted {
                self.found.push(Dependent::Default(name.clone(), own()));
            }
        }
        for constraint in &table.constraints {
            if matches!(&constraint.demand, Demand::Check(check) if self.text(&check.text)) {
                self.found.push(Dependent::Constraint(name.clone(), constraint.name.clone()));
            }
        }
        self.indexes(name, table.indexes.iter());
        self.triggers(name, &table.triggers);
        for ((object, policy), details) in &table.parts {
            let says = |(setting, words): (&Setting, &String)| {
                matches!(setting, Setting::Policy(_)) && self.text(words)
            };
            if *object == ObjectKind::Policy && details.settings.iter().any(says) {
                self.found.push(Dependent::Policy(name.clone(), policy.clone()));
            }
        }
    }

    fn triggers(&mut self, name: &RelationName, triggers: &[super::Trigger]) {
        let calls = |it: &&super::Trigger| it.function.as_deref().is_some_and(|it| self.is_routine(it));
        let found: Vec<_> = triggers.iter().filter(calls).map(|it| it.name.clone()).collect();
        self.found.extend(found.into_iter().map(|trigger| Dependent::Trigger(name.clone(), trigger)));
    }

    fn indexes<'i>(&mut self, name: &RelationName, indexes: impl Iterator<Item = &'i super::Index>) {
        for index in indexes {
            let key = |it: &super::IndexColumn| {
                it.column.is_none() && self.text(&it.text.text) || self.operator_class(&it.text.text)
            };
            let predicate = index.predicate.as_ref().is_some_and(|it| self.text(&it.text));
            if predicate || index.keys.iter().any(key) {
                self.found.push(Dependent::Index(name.clone(), index.name.clone()));
            }
        }
    }

    fn view(&mut self, name: &RelationName, view: &super::View) {
        if !view.unclear && !matches!(self.on, Thing::Sequence(_)) && self.text(&view.query.text) {
            self.found.push(Dependent::View(name.clone()));
        }
        self.indexes(name, view.indexes.iter());
        self.triggers(name, &view.triggers);
    }

    fn types(&mut self) {
        for (name, ty) in self.catalog.types() {
            let of = |it: &TypeName| self.is_type_of(it);
            let depends = match ty {
                UserType::Domain { base, default, .. } => {
                    let details = self.catalog.type_details(name).map(|it| &it.settings);
                    let mut checks = details.into_iter().flatten();
                    let checks = checks.any(|(it, text)| matches!(it, Setting::Check(_)) && self.text(text));
                    of(base) || checks || default.as_ref().is_some_and(|it| self.text(&it.text))
                }
                UserType::Composite(attributes) => attributes.iter().any(|(_, ty)| of(ty)),
                UserType::Enum(_) | UserType::Else => false,
            };
            if depends && !matches!(self.on, Thing::Type(it) if it == name) {
                self.found.push(Dependent::Type(name.clone()));
            }
        }
    }

    /// What a routine takes and returns.
    fn routines(&mut self) {
        let dialect = self.catalog.dialect();
        for (name, definition) in self.catalog.definitions() {
            let text = &definition.text;
            let Thing::Type(ty) = self.on else { return };
            if !text.contains(&*ty.name) {
                continue;
            }
            let script = Script::read(text, dialect);
            let mut cursor = Cursor::new(text, dialect, &script.tokens);
            let mut groups: Vec<Cursor<'_>> = cursor.group().into_iter().collect();
            if cursor.eat("returns") {
                let first = cursor.index();
                while !cursor.at_end() && !cursor.is_any(&crate::operation::ROUTINE_CLAUSES[1..]) {
                    cursor.skip();
                }
                groups.push(cursor.part(first, cursor.index()));
            }
            if groups.into_iter().any(|it| self.has_type(it)) {
                self.found.push(Dependent::Routine(name.clone()));
            }
        }
    }

    /// Whether the last word of an argument, before its default, is the type.
    fn has_type(&self, list: Cursor<'_>) -> bool {
        list.segments().into_iter().any(|mut argument| {
            if argument.eat("table") {
                return argument.group().is_some_and(|it| self.has_type(it));
            }
            let mut last = None;
            while !argument.at_end() && !argument.is_any(&["default", "=", ":="]) {
                match argument.name() {
                    Some(name) => last = Some(name),
                    None => argument.skip(),
                }
            }
            last.is_some_and(|it| self.is_type(&it))
        })
    }
}
