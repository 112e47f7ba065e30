//! The server's own functions: which are volatile, and since which version they exist.

use crate::catalog::Catalog;
use crate::dialect::Target;
use crate::operation::{Expression, Volatility};

/// The volatility of an expression: that of its most volatile function.
///
/// A function that neither the schema nor the server is known to have counts as volatile, as the server counts a
/// function that states nothing (manual, CREATE FUNCTION).
pub fn volatility(expression: &Expression, catalog: &Catalog) -> Volatility {
    let functions = expression.functions(catalog.dialect());
    functions.iter().map(|name| of_function(name, catalog)).max().unwrap_or(Volatility::Immutable)
}

fn of_function(name: &str, catalog: &Catalog) -> Volatility {
    if let Some(known) = catalog.function(name) {
        return known;
    }
    if VOLATILE.contains(&name) {
        return Volatility::Volatile;
    }
    if STABLE.contains(&name) || SPELLS.contains(&name) {
        return Volatility::Stable;
    }
    if IMMUTABLE.contains(&name) { Volatility::Immutable } else { Volatility::Volatile }
}

/// Whether the expression may give another value for the same row at another moment, or to another user or session.
pub fn drifts(expression: &Expression, catalog: &Catalog) -> bool {
    let functions = expression.functions(catalog.dialect());
    functions.iter().any(|name| match of_function(name, catalog) {
        Volatility::Immutable => false,
        Volatility::Stable => catalog.function(name).is_some() || !SPELLS.contains(&name.as_str()),
        Volatility::Volatile => true,
    })
}

/// A function of the expression that the target does not have yet.
pub(super) fn missing_function(
    expression: &Expression,
    target: &Target,
    catalog: &Catalog,
) -> Option<&'static str> {
    let functions = expression.functions(catalog.dialect());
    let found = SINCE.iter().find(|(name, since)| {
        functions.contains(*name) && target.version.major < *since && catalog.function(name).is_none()
    });
    found.map(|(name, _)| *name)
}

/// Functions that came after 11 (release notes). `gen_random_uuid` came before with the extension pgcrypto.
const SINCE: &[(&str, u16)] = &[
    ("gen_random_uuid", 13),
    ("uuidv4", 18),
    ("uuidv7", 18),
    ("random_normal", 16),
    ("gcd", 13),
    ("lcm", 13),
];

/// Whether the server has a function of that name, among those that stand in defaults and checks.
pub(super) fn is_known(name: &str) -> bool {
    [VOLATILE, SPELLS, STABLE, IMMUTABLE].iter().any(|it| it.contains(&name))
}

/// `SELECT proname FROM pg_proc WHERE provolatile = 'v'` on 18, those that stand in defaults.
const VOLATILE: &[&str] = &[
    "random",
    "gen_random_uuid",
    "uuidv4",
    "uuidv7",
    "clock_timestamp",
    "timeofday",
    "nextval",
    "currval",
    "lastval",
    "setval",
    "uuid_generate_v1",
    "uuid_generate_v1mc",
    "uuid_generate_v4",
    "random_normal",
    "gen_random_bytes",
    "gen_salt",
    "pg_advisory_lock",
    "pg_sleep",
    "set_config",
    "pg_logical_emit_message",
    "setseed",
    "txid_current",
    "pg_current_xact_id",
    "lo_create",
    "lo_creat",
    "dblink",
    "dblink_exec",
    "pg_notify",
    "pg_nextoid",
];

/// Stable only because they spell values of any type, some of which are spelled by settings of the session.
const SPELLS: &[&str] = &[
    "concat",
    "concat_ws",
    "format",
    "to_json",
    "to_jsonb",
    "json_build_object",
    "jsonb_build_object",
    "json_build_array",
    "jsonb_build_array",
    "row_to_json",
    "array_to_json",
    "array_to_string",
    "quote_literal",
    "to_number",
];

/// `provolatile = 's'` on 18, those that stand in defaults and checks, beside those above.
const STABLE: &[&str] = &[
    "now",
    "current_timestamp",
    "current_date",
    "current_time",
    "localtime",
    "localtimestamp",
    "transaction_timestamp",
    "statement_timestamp",
    "current_user",
    "session_user",
    "user",
    "current_role",
    "current_schema",
    "current_schemas",
    "current_catalog",
    "current_database",
    "system_user",
    "current_setting",
    "to_char",
    "to_timestamp",
    "to_date",
    "age",
    "date_trunc",
    "timezone",
    "to_tsvector",
    "to_tsquery",
    "plainto_tsquery",
    "inet_client_addr",
    "pg_backend_pid",
    "version",
    "has_table_privilege",
    "txid_current_snapshot",
    "pg_current_snapshot",
    "date_part",
    "extract",
    "unaccent",
    "col_description",
    "obj_description",
    "pg_typeof",
];

/// `provolatile = 'i'` on 18, and the constructs that the parser turns into such.
const IMMUTABLE: &[&str] = &[
    "count",
    "min",
    "max",
    "sum",
    "avg",
    "lower",
    "upper",
    "initcap",
    "length",
    "char_length",
    "character_length",
    "octet_length",
    "bit_length",
    "substr",
    "substring",
    "left",
    "right",
    "trim",
    "btrim",
    "ltrim",
    "rtrim",
    "lpad",
    "rpad",
    "repeat",
    "replace",
    "reverse",
    "translate",
    "split_part",
    "strpos",
    "position",
    "overlay",
    "md5",
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "encode",
    "decode",
    "convert_from",
    "convert_to",
    "ascii",
    "chr",
    "abs",
    "ceil",
    "ceiling",
    "floor",
    "round",
    "trunc",
    "sign",
    "sqrt",
    "power",
    "pow",
    "exp",
    "ln",
    "log",
    "mod",
    "div",
    "gcd",
    "lcm",
    "pi",
    "degrees",
    "radians",
    "sin",
    "cos",
    "tan",
    "width_bucket",
    "greatest",
    "least",
    "coalesce",
    "nullif",
    "array_length",
    "array_append",
    "array_cat",
    "array_position",
    "array_prepend",
    "array_remove",
    "cardinality",
    "unnest",
    "json_array_length",
    "jsonb_array_length",
    "jsonb_typeof",
    "json_typeof",
    "jsonb_set",
    "jsonb_strip_nulls",
    "json_extract_path_text",
    "jsonb_extract_path",
    "jsonb_extract_path_text",
    "jsonb_path_query_first",
    "regexp_replace",
    "regexp_match",
    "regexp_matches",
    "hashtext",
    "hashint4",
    "hashint8",
    "uuid_hash",
    "make_date",
    "make_time",
    "make_timestamp",
    "make_interval",
    "justify_days",
    "justify_hours",
    "isfinite",
    "lower_inc",
    "upper_inc",
    "isempty",
    "int4range",
    "int8range",
    "numrange",
    "daterange",
    "tsrange",
    "tstzrange",
    "to_hex",
    "quote_ident",
    "text",
    "int4",
    "int8",
    "float8",
    "numeric",
    "date",
    "bool",
    "varchar",
    "bpchar",
    "interval",
    "point",
    "box",
    "circle",
    "polygon",
    "network",
    "host",
    "masklen",
    "family",
    "set_masklen",
    "num_nonnulls",
    "num_nulls",
    "array",
    "row",
    "cast",
    "uuid_nil",
    "uuid_ns_dns",
    "uuid_ns_url",
    "uuid_generate_v3",
    "uuid_generate_v5",
    "setweight",
    "tsvector",
    "to_ascii",
    "bit_count",
    "xmlelement",
    "starts_with",
    "hstore",
    "similarity",
    "lo_manage",
    "jsonb",
    "json",
    "any",
    "all",
    "exists",
    "in",
    "not",
    "and",
    "or",
    "values",
];
