//! A value of a type as an expression over the number of its row: the same seed gives the same values.

use crate::catalog::{Catalog, Form, Type};

/// What values are drawn with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Draw<'a> {
    pub catalog: &'a Catalog,
    /// The number of the row, as SQL: a `bigint`.
    pub row: &'a str,
    /// Differs from column to column.
    pub salt: i64,
    pub texts: Texts,
}

/// What texts are like: triggers, functions in indexes and the migration itself may take only some.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Texts {
    /// Quotes, letters of all languages, nothing at all.
    #[default]
    Awkward,
    Words,
    Numbers,
    Versions,
}

impl Texts {
    pub const ALL: [Self; 4] = [Self::Awkward, Self::Words, Self::Numbers, Self::Versions];
}

/// A value, and how many different ones there are at most.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Value {
    pub sql: String,
    pub distinct: Option<u64>,
}

/// Whether the values of different rows must differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spread {
    Any,
    /// They do, and grow with the number of the row where the type has an order.
    Unique,
}

const TEXTS: &str = "ARRAY['plain', 'O''Reilly said \"no\"', 'back\\slash', 'Zoë ☃ 漢字', '', ' padded ', 'twice', 'twice', \
    'UPPER lower', '42', 'line' || pg_catalog.chr(10) || 'break', pg_catalog.repeat('long ', 30)]";

impl Value {
    fn of(sql: impl Into<String>) -> Option<Self> {
        Some(Self { sql: sql.into(), distinct: None })
    }

    fn at_most(self, distinct: u64) -> Self {
        Self { distinct: Some(self.distinct.map_or(distinct, |it| it.min(distinct))), ..self }
    }
}

impl Draw<'_> {
    /// A number from 0 on that looks like chance, the same for the same row.
    pub fn chance(&self) -> String {
        self.chance_of(0)
    }

    pub fn chance_of(&self, turn: i64) -> String {
        let salt = self.salt.wrapping_add(turn);
        format!("(pg_catalog.hashint8extended({}, {salt}) & 9223372036854775807)", self.row)
    }

    /// A value of a type; `None` where we know no value of it.
    pub fn value(&self, ty: u32, modifier: i32, spread: Spread) -> Option<Value> {
        let known = self.catalog.types.get(&ty)?;
        match &known.form {
            Form::Base => self.base(known, modifier, spread),
            Form::Enum(labels) => {
                let count = u64::try_from(labels.len()).ok().filter(|it| *it > 0)?;
                let labels: Vec<String> = labels.iter().map(|it| literal(it)).collect();
                let place = self.place(count, spread);
                Some(
                    Value::of(format!("(ARRAY[{}])[1 + {place}]::{}", labels.join(", "), known.sql))?
                        .at_most(count),
                )
            }
            Form::Array(of) => {
                let one = self.value(*of, modifier, spread)?;
                let other =
                    Draw { salt: self.salt.wrapping_add(7), ..*self }.value(*of, modifier, Spread::Any)?;
                let sql = format!("ARRAY[{}, {}]", one.sql, other.sql);
                Some(Value { sql, distinct: one.distinct })
            }
            Form::Domain { of, modifier, .. } => self.value(*of, *modifier, spread),
            Form::Composite(fields) => {
                let fields: Option<Vec<Value>> =
                    fields.iter().map(|it| self.value(*it, -1, spread)).collect();
                let fields: Vec<String> = fields?.into_iter().map(|it| it.sql).collect();
                Value::of(format!("ROW({})::{}", fields.join(", "), known.sql))
            }
            Form::Range(of) => self.range(known, *of, spread),
            Form::Multirange(of) => {
                let range = self.value(*of, -1, spread)?;
                Value::of(format!("{}({})", qualified(known), range.sql))
            }
        }
    }

    /// A place in a list.
    pub fn place(&self, count: u64, spread: Spread) -> String {
        match spread {
            Spread::Any => format!("{} % {count}", self.chance()),
            Spread::Unique => format!("({} - 1) % {count}", self.row),
        }
    }

    /// A number, at most that large: small ones with duplicates, or the row's own.
    fn number(&self, most: u64, spread: Spread) -> String {
        match spread {
            Spread::Any => format!("(1 + {} % {})", self.chance(), most.min(1000)),
            Spread::Unique => format!("({} % {most})", self.row),
        }
    }

    fn text(&self, spread: Spread) -> String {
        let number = || match spread {
            Spread::Any => format!("({} % 1000)::text", self.chance()),
            Spread::Unique => format!("({})::text", self.row),
        };
        match self.texts {
            Texts::Awkward => {}
            Texts::Words => return format!("pg_catalog.translate({}, '0123456789', 'abcdefghij')", number()),
            Texts::Numbers => return number(),
            Texts::Versions => return format!("('1.0.' || {})", number()),
        }
        let chosen = format!("({TEXTS})[1 + {} % 12]", self.chance());
        match spread {
            Spread::Any => chosen,
            Spread::Unique => format!("({}::text || ' ' || {chosen})", self.row),
        }
    }

    fn range(&self, known: &Type, of: u32, spread: Spread) -> Option<Value> {
        let start = match spread {
            Spread::Any => format!("({} % 1000)", self.chance()),
            Spread::Unique => format!("(2 * {})", self.row),
        };
        let end = format!("({start} + 1)");
        let lower = Draw { row: &start, ..*self }.value(of, -1, Spread::Unique)?;
        let upper = Draw { row: &end, ..*self }.value(of, -1, Spread::Unique)?;
        Value::of(format!("{}({}, {})", qualified(known), lower.sql, upper.sql))
    }

    fn base(&self, known: &Type, modifier: i32, spread: Spread) -> Option<Value> {
        let seconds = || format!("{} * interval '1 second'", self.number(1_000_000_000, spread));
        let hex = || format!("pg_catalog.md5({}::text || ':{}')", self.row, self.salt);
        let many = || self.number(u64::MAX >> 1, spread);
        let value = match known.name.as_str() {
            "int2" => Value::of(format!("{}::int2", self.number(32_767, spread)))?.at_most(32_766),
            "int4" | "oid" => Value::of(format!("{}::{}", self.number(2_147_483_647, spread), known.sql))?
                .at_most(2_147_483_646),
            "int8" => Value::of(many())?,
            "float4" => {
                Value::of(format!("{}::float4", self.number(16_000_000, spread)))?.at_most(16_000_000)
            }
            "float8" => Value::of(format!("({} + 0.25)::float8", many()))?,
            "numeric" => self.numeric(modifier, spread)?,
            "money" => Value::of(format!("{}::numeric::money", self.number(1_000_000_000, spread)))?,
            "bool" => Value::of(format!("({} = 1)", self.place(2, spread)))?.at_most(2),
            "text" | "citext" | "name" => Value::of(self.text(spread))?,
            "varchar" | "bpchar" => self.limited_text(modifier, spread)?,
            "char" => {
                Value::of(format!("pg_catalog.chr((97 + {})::int)", self.place(26, spread)))?.at_most(26)
            }
            "date" => Value::of(format!("(date '2015-01-01' + {}::int)", self.number(1_000_000, spread)))?
                .at_most(1_000_000),
            "timestamp" => Value::of(format!("(timestamp '2015-01-01' + {})", seconds()))?,
            "timestamptz" => Value::of(format!("(timestamptz '2015-01-01 00:00Z' + {})", seconds()))?,
            "time" | "timetz" => {
                Value::of(format!("(time '00:00' + {} * interval '1 second')", self.number(86_400, spread)))?
                    .at_most(86_399)
            }
            "interval" => Value::of(format!("({})", seconds()))?,
            "uuid" => Value::of(format!("{}::uuid", hex()))?,
            "json" | "jsonb" => Value::of(format!(
                "pg_catalog.{}_build_object('n', {}, 's', {})",
                known.name,
                many(),
                self.text(Spread::Any)
            ))?,
            "bytea" => Value::of(format!("pg_catalog.decode({}, 'hex')", hex()))?,
            "inet" => Value::of(format!("(inet '10.0.0.0' + {})", self.number(16_777_215, spread)))?
                .at_most(16_777_215),
            "cidr" => Value::of(format!("(inet '10.0.0.0' + {})::cidr", self.number(16_777_215, spread)))?
                .at_most(16_777_215),
            "macaddr" => Value::of(format!(
                "pg_catalog.lpad(pg_catalog.to_hex({}::bigint), 12, '0')::macaddr",
                many()
            ))?,
            "macaddr8" => Value::of(format!(
                "pg_catalog.lpad(pg_catalog.to_hex({}::bigint), 16, '0')::macaddr8",
                many()
            ))?,
            "bit" | "varbit" => {
                let bits = if modifier > 0 { modifier } else { 1 };
                let most = 1_u64 << u32::try_from(bits).unwrap_or(1).min(30);
                Value::of(format!("({})::int::bit({bits})", self.place(most, spread)))?.at_most(most)
            }
            "tsvector" => {
                Value::of(format!("pg_catalog.to_tsvector('pg_catalog.simple', {})", self.text(spread)))?
            }
            "tsquery" => Value::of("pg_catalog.plainto_tsquery('pg_catalog.simple', 'word')")?.at_most(1),
            "xml" => Value::of(format!("('<row number=\"' || {} || '\"/>')::xml", self.row))?,
            "point" => Value::of(format!("pg_catalog.point({}, 1)", many()))?,
            "box" | "lseg" | "path" => Value::of(format!("'((1,2),(3,4))'::{}", known.name))?.at_most(1),
            "line" => Value::of("'{1,2,3}'::line")?.at_most(1),
            "polygon" => Value::of("'((1,2),(3,4),(5,0))'::polygon")?.at_most(1),
            "circle" => Value::of("'<(1,2),3>'::circle")?.at_most(1),
            "hstore" => Value::of(format!("('\"n\"=>\"' || {} || '\"')", many()))?,
            "ltree" => Value::of(format!("('top.n' || {})", many()))?,
            "vector" if modifier > 0 => Value::of(format!(
                "pg_catalog.array_fill(({})::real, ARRAY[{modifier}])",
                self.number(1_000_000, spread)
            ))?,
            "pg_lsn" => Value::of("'0/1'::pg_lsn")?.at_most(1),
            "regclass" => Value::of("'pg_catalog.pg_class'::regclass")?.at_most(1),
            _ => return None,
        };
        // Types of extensions are named with their schema.
        let own = matches!(known.name.as_str(), "citext" | "hstore" | "ltree" | "vector");
        Some(if own { Value { sql: format!("{}::{}", value.sql, known.sql), ..value } } else { value })
    }

    fn numeric(&self, modifier: i32, spread: Spread) -> Option<Value> {
        if modifier < 4 {
            return Value::of(format!("({} + 0.25)", self.number(u64::MAX >> 1, spread)));
        }
        let (precision, scale) = ((modifier - 4) >> 16, (modifier - 4) & 0x7ff);
        let whole = u32::try_from((precision - scale).clamp(0, 15)).ok()?;
        if whole == 0 {
            let most = 10_u64.pow(u32::try_from(scale.clamp(0, 6)).ok()?);
            let scaled = format!("({}::numeric / {most})", self.place(most, spread));
            return Some(Value::of(scaled)?.at_most(most));
        }
        let most = 10_u64.pow(whole);
        let cents =
            if scale >= 2 { format!(" + ({} % 100)::numeric / 100", self.chance()) } else { String::new() };
        let number = match spread {
            Spread::Any => format!("({} % {})", self.chance(), most.min(10_000)),
            Spread::Unique => format!("({} % {most})", self.row),
        };
        Some(Value::of(format!("({number}::numeric{cents})"))?.at_most(most))
    }

    fn limited_text(&self, modifier: i32, spread: Spread) -> Option<Value> {
        let value = Value::of(self.text(spread))?;
        let length = u32::try_from(modifier - 4).unwrap_or(u32::MAX);
        // The explicit cast to the column's type cuts it.
        Some(if length < 9 { value.at_most(10_u64.pow(length)) } else { value })
    }
}

/// The name of a type as a function, with its schema.
fn qualified(ty: &Type) -> String {
    let quote = |it: &str| lockkeeper_core::dialect::quote(it, lockkeeper_core::dialect::Dialect::Postgres);
    format!("{}.{}", quote(&ty.schema), quote(&ty.name))
}

/// A text as SQL, whatever it holds.
pub(crate) fn literal(text: &str) -> String {
    lockkeeper_core::dialect::quote_literal(text)
}
