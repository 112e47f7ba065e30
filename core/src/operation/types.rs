//! Names of data types under one spelling.

use std::fmt;

use crate::text::Span;

/// A data type: its canonical name, modifiers and array marks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TypeName {
    /// The schema where one is stated.
    pub schema: Option<String>,
    /// The canonical short name: `int4`, `varchar`, `timestamptz`, or the name of a user's type.
    pub name: String,
    /// The numbers in parentheses.
    pub modifiers: Vec<i64>,
    /// Whether it is an array.
    pub array: bool,
    /// Whether it was written as a serial type: the column has a sequence and a default from it.
    pub serial: bool,
    /// Where it stands.
    pub span: Span,
}

impl TypeName {
    /// A type without modifiers, as it would be written.
    pub fn plain(name: &str) -> Self {
        Self { name: canonical(name).to_owned(), ..Self::default() }
    }

    /// The same type, wherever it stands.
    pub fn is_same(&self, other: &Self) -> bool {
        self.schema == other.schema
            && self.name == other.name
            && self.modifiers == other.modifiers
            && self.array == other.array
    }

    /// Whether it is this scalar type.
    pub fn is(&self, name: &str) -> bool {
        self.name == name && !self.array
    }

    /// Whether it is one of these scalar types.
    pub fn is_any(&self, names: &[&str]) -> bool {
        !self.array && names.contains(&self.name.as_str())
    }
}

impl fmt::Display for TypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{}.", quoted(schema))?;
        }
        let numbers: Vec<String> = self.modifiers.iter().map(i64::to_string).collect();
        let numbers = if numbers.is_empty() { String::new() } else { format!("({})", numbers.join(",")) };
        match self.name.as_str() {
            "timestamp" | "time" => write!(f, "{}{numbers} without time zone", self.name)?,
            "timestamptz" => write!(f, "timestamp{numbers} with time zone")?,
            "timetz" => write!(f, "time{numbers} with time zone")?,
            name => write!(f, "{}{numbers}", quoted(title(name)))?,
        }
        if self.array { f.write_str("[]") } else { Ok(()) }
    }
}

/// The name with quotes where only they keep it; words that name built-in types need none.
fn quoted(name: &str) -> std::borrow::Cow<'_, str> {
    let plain = |it: char| it.is_lowercase() || it.is_ascii_digit() || matches!(it, '_' | ' ' | '%');
    if name.chars().all(plain) {
        return name.into();
    }
    format!("\"{}\"", name.replace('"', "\"\"")).into()
}

/// The one short name of a type that has several.
pub(crate) fn canonical(name: &str) -> &str {
    match name {
        "int" | "integer" | "int4" | "serial" | "serial4" => "int4",
        "bigint" | "int8" | "bigserial" | "serial8" => "int8",
        "smallint" | "int2" | "smallserial" | "serial2" => "int2",
        "boolean" => "bool",
        "real" => "float4",
        "double" | "double precision" => "float8",
        "decimal" | "dec" => "numeric",
        "character varying" | "char varying" => "varchar",
        "character" | "char" | "nchar" => "bpchar",
        "bit varying" => "varbit",
        "timestamp with time zone" => "timestamptz",
        "timestamp without time zone" => "timestamp",
        "time with time zone" => "timetz",
        "time without time zone" => "time",
        other => other,
    }
}

/// The name of the type as the server prints it.
fn title(name: &str) -> &str {
    match name {
        "int4" => "integer",
        "int8" => "bigint",
        "int2" => "smallint",
        "bool" => "boolean",
        "float4" => "real",
        "float8" => "double precision",
        "varchar" => "character varying",
        "bpchar" => "character",
        "varbit" => "bit varying",
        other => other,
    }
}
