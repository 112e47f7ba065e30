//! The server's own catalog: what rows and statements are generated from. Nothing here comes from our model of the schema.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::error::{RehearseError, While};
use crate::session::{Answer, Session};

/// All tables, views and types of a database.
#[derive(Debug, Clone, Default)]
pub(crate) struct Catalog {
    pub tables: BTreeMap<u32, Table>,
    pub views: Vec<View>,
    pub types: BTreeMap<u32, Type>,
}

/// A table, or a part of one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Table {
    pub oid: u32,
    /// Quoted, with its schema.
    pub name: String,
    pub is_partitioned: bool,
    /// The table that it is a part of.
    pub parent: Option<u32>,
    /// Whether the schema has triggers of its own on it: then values are not only what is written.
    pub has_triggers: bool,
    /// What its rows must fulfil to be in this part.
    pub bound: Option<String>,
    pub columns: Vec<Column>,
    pub keys: Vec<Key>,
    /// All indexes: a migration may add one without a lock that could be seen.
    pub indexes: Vec<u32>,
    pub foreign: Vec<Foreign>,
    pub checks: Vec<Check>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Column {
    pub number: i16,
    /// Quoted.
    pub name: String,
    pub ty: u32,
    /// The type as SQL, with its schema and modifiers.
    pub sql: String,
    pub modifier: i32,
    pub required: bool,
    pub default: Option<String>,
    /// `a`, `d` or nothing.
    pub identity: String,
    pub is_generated: bool,
}

/// Columns that must differ from row to row: a unique index, or an exclusion.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Key {
    pub is_primary: bool,
    pub columns: Vec<i16>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Foreign {
    pub columns: Vec<i16>,
    pub table: u32,
    pub referenced: Vec<i16>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Check {
    pub columns: Vec<i16>,
    pub condition: String,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct View {
    pub oid: u32,
    pub name: String,
    pub columns: Vec<String>,
    /// The tables and views that it reads.
    pub reads: Vec<u32>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Type {
    pub schema: String,
    pub name: String,
    pub sql: String,
    pub form: Form,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Form {
    Base,
    Enum(Vec<String>),
    Array(u32),
    Domain { of: u32, modifier: i32, checks: Vec<String> },
    Composite(Vec<u32>),
    Range(u32),
    Multirange(u32),
}

impl Catalog {
    /// Reads it all. The session has an empty search path, so that every name comes with its schema.
    pub async fn read(session: &mut Session) -> Result<Self, RehearseError> {
        const READING: &str = "reading its catalog";
        let mut catalog = Self::default();
        for row in session.rows(TYPES).await.while_(READING)? {
            catalog.types.insert(number(&row, 0), ty(&row));
        }
        if crate::cluster::version(session).await? >= 14 {
            for row in session.rows(MULTIRANGES).await.while_(READING)? {
                let form = Form::Multirange(number(&row, 1));
                catalog.types.entry(number(&row, 0)).and_modify(|it| it.form = form);
            }
        }
        for row in session.rows(TABLES).await.while_(READING)? {
            let table = table(&row);
            catalog.tables.insert(table.oid, table);
        }
        for row in session.rows(COLUMNS).await.while_(READING)? {
            let column = column(&row);
            catalog.tables.entry(number(&row, 0)).and_modify(|it| it.columns.push(column));
        }
        for row in session.rows(KEYS).await.while_(READING)? {
            let key = Key { is_primary: text(&row, 1) == "t", columns: numbers(&row, 2) };
            catalog.tables.entry(number(&row, 0)).and_modify(|it| {
                it.keys.extend((text(&row, 3) == "t").then_some(key));
                it.indexes.push(number(&row, 4));
            });
        }
        for row in session.rows(CONSTRAINTS).await.while_(READING)? {
            catalog.tables.entry(number(&row, 0)).and_modify(|it| constrain(it, &row));
        }
        for row in session.rows(VIEWS).await.while_(READING)? {
            let reads = list(&row, 3).iter().filter_map(|it| u32::try_from(it.as_u64()?).ok()).collect();
            let columns = texts(&row, 2);
            catalog.views.push(View { oid: number(&row, 0), name: text(&row, 1), columns, reads });
        }
        Ok(catalog)
    }

    /// Whether a type is one of these, or made of one.
    pub fn is_made_of(&self, ty: u32, types: &[u32]) -> bool {
        let made_of = |it: &u32| self.is_made_of(*it, types);
        types.contains(&ty)
            || self.types.get(&ty).is_some_and(|it| match &it.form {
                Form::Base | Form::Enum(_) => false,
                Form::Array(of) | Form::Range(of) | Form::Multirange(of) | Form::Domain { of, .. } => {
                    made_of(of)
                }
                Form::Composite(fields) => fields.iter().any(made_of),
            })
    }

    pub fn named(&self, name: &str) -> Option<&Table> {
        self.tables.values().find(|it| it.name == name)
    }

    /// The table that a part belongs to in the end.
    pub fn root(&self, mut oid: u32) -> u32 {
        while let Some(parent) = self.tables.get(&oid).and_then(|it| it.parent) {
            oid = parent;
        }
        oid
    }

    /// The parts of a table that hold rows; itself where it has none.
    pub fn leaves(&self, oid: u32) -> Vec<u32> {
        let parts: Vec<u32> =
            self.tables.values().filter(|it| it.parent == Some(oid)).map(|it| it.oid).collect();
        match self.tables.get(&oid) {
            Some(table) if table.is_partitioned => parts.iter().flat_map(|it| self.leaves(*it)).collect(),
            _ => vec![oid],
        }
    }

    /// The base of a domain, and the checks of all domains around it.
    pub fn base(&self, ty: u32, modifier: i32) -> (u32, i32, Vec<String>) {
        match self.types.get(&ty).map(|it| &it.form) {
            Some(Form::Domain { of, modifier, checks }) => {
                let (base, modifier, mut all) = self.base(*of, *modifier);
                all.extend(checks.iter().cloned());
                (base, modifier, all)
            }
            _ => (ty, modifier, Vec::new()),
        }
    }
}

impl Table {
    pub fn column(&self, number: i16) -> Option<&Column> {
        self.columns.iter().find(|it| it.number == number)
    }

    pub fn primary(&self) -> Option<&Key> {
        self.keys.iter().find(|it| it.is_primary)
    }
}

impl Column {
    /// Whether the server gives it its value when nobody says one.
    pub fn counts_by_itself(&self) -> bool {
        !self.identity.is_empty() || self.default.as_ref().is_some_and(|it| it.contains("nextval("))
    }
}

fn text(row: &Answer, at: usize) -> String {
    row.get(at).cloned().flatten().unwrap_or_default()
}

fn number(row: &Answer, at: usize) -> u32 {
    text(row, at).parse().unwrap_or_default()
}

fn list(row: &Answer, at: usize) -> Vec<Value> {
    serde_json::from_str(&text(row, at)).unwrap_or_default()
}

fn texts(row: &Answer, at: usize) -> Vec<String> {
    list(row, at).iter().filter_map(|it| it.as_str().map(str::to_owned)).collect()
}

fn numbers(row: &Answer, at: usize) -> Vec<i16> {
    list(row, at).iter().filter_map(|it| i16::try_from(it.as_i64()?).ok()).collect()
}

fn ty(row: &Answer) -> Type {
    let of = number(row, 5);
    let form = match (text(row, 4).as_str(), text(row, 6).as_str()) {
        ("e", _) => Form::Enum(texts(row, 8)),
        ("d", _) => Form::Domain {
            of: number(row, 7),
            modifier: text(row, 11).parse().unwrap_or(-1),
            checks: texts(row, 9),
        },
        ("c", _) => {
            Form::Composite(list(row, 10).iter().filter_map(|it| u32::try_from(it.as_u64()?).ok()).collect())
        }
        ("r", _) => Form::Range(number(row, 12)),
        (_, "A") if of > 0 => Form::Array(of),
        _ => Form::Base,
    };
    Type { schema: text(row, 1), name: text(row, 2), sql: text(row, 3), form }
}

fn table(row: &Answer) -> Table {
    Table {
        oid: number(row, 0),
        name: text(row, 1),
        is_partitioned: text(row, 2) == "p",
        parent: row[3].as_ref().and_then(|it| it.parse().ok()),
        bound: row[4].clone().filter(|it| !it.is_empty()),
        has_triggers: text(row, 5) == "t",
        columns: Vec::new(),
        keys: Vec::new(),
        indexes: Vec::new(),
        foreign: Vec::new(),
        checks: Vec::new(),
    }
}

fn column(row: &Answer) -> Column {
    Column {
        number: text(row, 1).parse().unwrap_or_default(),
        name: text(row, 2),
        ty: number(row, 3),
        sql: text(row, 4),
        modifier: text(row, 5).parse().unwrap_or(-1),
        required: text(row, 6) == "t",
        default: row[7].clone(),
        identity: text(row, 8),
        is_generated: text(row, 9) == "t",
    }
}

fn constrain(table: &mut Table, row: &Answer) {
    match text(row, 1).as_str() {
        "f" => table.foreign.push(Foreign {
            columns: numbers(row, 2),
            table: number(row, 3),
            referenced: numbers(row, 4),
        }),
        "x" => table.keys.push(Key { is_primary: false, columns: numbers(row, 2) }),
        _ => table.checks.push(Check { columns: numbers(row, 2), condition: text(row, 5) }),
    }
}

const TYPES: &str = "SELECT t.oid, n.nspname, t.typname, pg_catalog.format_type(t.oid, NULL), t.typtype,
        CASE WHEN t.typlen = -1 THEN t.typelem ELSE 0 END, t.typcategory, t.typbasetype,
        (SELECT json_agg(enumlabel ORDER BY enumsortorder) FROM pg_catalog.pg_enum WHERE enumtypid = t.oid),
        (SELECT json_agg(pg_catalog.pg_get_expr(conbin, 0)) FROM pg_catalog.pg_constraint WHERE contypid = t.oid AND contype = 'c'),
        (SELECT json_agg(atttypid::bigint ORDER BY attnum) FROM pg_catalog.pg_attribute
         WHERE attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped AND t.typrelid <> 0),
        t.typtypmod, (SELECT rngsubtype FROM pg_catalog.pg_range WHERE rngtypid = t.oid)
    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace";

const MULTIRANGES: &str = "SELECT rngmultitypid, rngtypid FROM pg_catalog.pg_range";

const TABLES: &str = "SELECT c.oid, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname), c.relkind,
        (SELECT inhparent FROM pg_catalog.pg_inherits WHERE inhrelid = c.oid AND c.relispartition),
        CASE WHEN c.relispartition THEN pg_catalog.pg_get_partition_constraintdef(c.oid) END,
        EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal)
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend WHERE objid = c.oid AND deptype = 'e')
    ORDER BY c.oid";

const COLUMNS: &str = "SELECT a.attrelid, a.attnum, pg_catalog.quote_ident(a.attname), a.atttypid,
        pg_catalog.format_type(a.atttypid, a.atttypmod), a.atttypmod, a.attnotnull OR t.typnotnull,
        pg_catalog.pg_get_expr(d.adbin, d.adrelid), a.attidentity,
        coalesce(pg_catalog.to_jsonb(a) ->> 'attgenerated', '') <> ''
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p')
    ORDER BY a.attrelid, a.attnum";

/// Also of expressions: what they read must differ.
const KEYS: &str = "SELECT i.indrelid, i.indisprimary,
        (SELECT json_agg(number ORDER BY place) FROM (
            SELECT k::int AS number, min(o) AS place FROM pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS u(k, o)
            WHERE k > 0 AND o <= i.indnkeyatts GROUP BY k
            UNION SELECT refobjsubid, 100 + refobjsubid FROM pg_catalog.pg_depend
            WHERE objid = i.indexrelid AND refobjid = i.indrelid AND refobjsubid > 0 AND 0 = ANY (i.indkey::int2[])
              AND NOT refobjsubid = ANY (i.indkey::int2[])) AS numbers),
        i.indisunique, i.indexrelid
    FROM pg_catalog.pg_index i ORDER BY i.indrelid, i.indisprimary DESC, i.indexrelid";

const CONSTRAINTS: &str = "SELECT conrelid, contype, to_json(conkey), confrelid, to_json(confkey),
        CASE contype WHEN 'c' THEN pg_catalog.pg_get_expr(conbin, conrelid) END
    FROM pg_catalog.pg_constraint WHERE conrelid <> 0 AND contype IN ('c', 'f', 'x') AND (contype <> 'f' OR conparentid = 0 OR
        NOT EXISTS (SELECT FROM pg_catalog.pg_constraint p WHERE p.oid = pg_constraint.conparentid AND p.conrelid = pg_constraint.conrelid))
    ORDER BY conrelid, pg_catalog.array_length(conkey, 1) DESC, oid";

const VIEWS: &str =
    "SELECT c.oid, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname),
        (SELECT json_agg(pg_catalog.quote_ident(attname) ORDER BY attnum) FROM pg_catalog.pg_attribute
         WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped),
        (SELECT json_agg(DISTINCT d.refobjid::bigint) FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_depend d
         ON d.objid = r.oid AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
         WHERE r.ev_class = c.oid AND d.refobjid <> c.oid)
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('v', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend WHERE objid = c.oid AND deptype = 'e')
    ORDER BY c.oid";
