//! Counts in PostgreSQL's own catalog.

use crate::catalog::RelationName;
use crate::dialect::{Dialect, quote, quote_literal};
use crate::engine::Count;

/// The query that counts.
pub(super) fn query(count: &Count<'_>) -> String {
    match count {
        Count::IncompleteIndex { index } => {
            format!("SELECT count(*) FROM pg_index WHERE indexrelid = {} AND NOT indisvalid", class(index))
        }
        Count::IncompleteIndexes { table } => {
            format!("SELECT count(*) FROM pg_index WHERE indrelid = {} AND NOT indisvalid", class(table))
        }
        Count::PendingDetach { partition } => {
            format!(
                "SELECT count(*) FROM pg_inherits WHERE inhrelid = {} AND inhdetachpending",
                class(partition)
            )
        }
        Count::UnusualSequence { sequence } => format!(
            "SELECT count(*) FROM pg_sequence WHERE seqrelid = {} \
             AND (seqstart, seqincrement, seqmin, seqcache, seqcycle) IS DISTINCT FROM (1, 1, 1, 1, false)",
            class(sequence)
        ),
        Count::UsesOfType { ty } => format!(
            "SELECT count(*) FROM pg_depend WHERE refclassid = 'pg_type'::regclass AND refobjid = {}::regtype AND deptype = 'n'",
            quote_literal(ty)
        ),
        Count::OtherUsesOfType { ty, known } => other_uses(ty, known),
        Count::Callers { old, new } => callers(old, new),
        Count::OtherRights { of, on } => {
            format!("SELECT count(*) FROM ({} EXCEPT ({})) one", rights(of), rights(on))
        }
        Count::MissingGrants { of, on } => {
            format!("SELECT count(*) FROM ({} EXCEPT {}) missing", grants(of), grants(on))
        }
        Count::Unshown { table, triggers, constraints } => unshown(table, triggers, constraints),
        Count::OtherSettings { of, on, place } => other_settings(of, on, *place),
        Count::UnlikeIndexes { pairs } => unlike(pairs),
        Count::UnknownInSchema { schema, known } => unknown(schema, known),
        Count::ThinLog => {
            "SELECT count(*) FROM pg_settings WHERE name = 'wal_level' AND setting = 'minimal'".to_owned()
        }
    }
}

fn class(name: &str) -> String {
    format!("{}::regclass", quote_literal(name))
}

fn other_uses(ty: &str, known: &[(String, String)]) -> String {
    let oid = format!("{}::regtype", quote_literal(ty));
    let known: Vec<String> = known
        .iter()
        .map(|(table, column)| format!("({}, {})", class(table), quote_literal(column)))
        .collect();
    format!(
        "SELECT count(*) FROM pg_depend d LEFT JOIN pg_attribute a ON d.classid = 'pg_class'::regclass AND a.attrelid = d.objid AND a.attnum = \
         d.objsubid WHERE d.refclassid = 'pg_type'::regclass AND d.refobjid IN ({oid}, (SELECT typarray FROM pg_type WHERE oid = {oid})) AND \
         d.deptype = 'n' AND (d.classid IN ('pg_proc'::regclass, 'pg_type'::regclass) OR a.attname IS NOT NULL AND (a.attrelid, a.attname) NOT IN ({}))",
        known.join(", ")
    )
}

/// Functions whose text says the old name.
fn callers(old: &RelationName, new: &RelationName) -> String {
    let quoted = |name: &str| quote(name, Dialect::Postgres);
    let escaped = |text: &str| -> String {
        text.chars()
            .flat_map(|it| (!it.is_alphanumeric() && it != '_').then_some('\\').into_iter().chain([it]))
            .collect()
    };
    let name = quoted(&old.name);
    // What is moved is called with its new schema in front.
    let moved = if old.name == new.name {
        format!(r"(?<!{}\.)", escaped(&quoted(&new.schema)))
    } else {
        String::new()
    };
    let word = if name.starts_with('"') { escaped(&name) } else { format!(r"\m{}\M", escaped(&name)) };
    format!(
        "SELECT count(*) FROM pg_proc WHERE prosrc ~* {} AND NOT (proname = {} AND pronamespace = {}::regnamespace)",
        quote_literal(&format!(r"{moved}{word}\s*\(")),
        quote_literal(&old.name),
        quote_literal(&quoted(&old.schema)),
    )
}

fn rights(name: &str) -> String {
    format!(
        "SELECT '' AS part, relowner, relacl::text FROM pg_class WHERE oid = {class} UNION ALL\n\
         \x20   SELECT attname, NULL, attacl::text FROM pg_attribute WHERE attrelid = {class} AND attacl IS NOT NULL",
        class = class(name)
    )
}

fn grants(name: &RelationName) -> String {
    format!(
        "SELECT grantee, privilege_type FROM information_schema.role_table_grants WHERE table_schema = {} AND \
         table_name = {} AND privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')",
        quote_literal(&name.schema),
        quote_literal(&name.name)
    )
}

fn unshown(table: &str, triggers: &[&str], constraints: &[&str]) -> String {
    let (name, triggers, keys) = (class(table), names(triggers), names(constraints));
    format!(
        "SELECT (SELECT count(*) FROM pg_class WHERE oid = {name} AND (relrowsecurity OR relforcerowsecurity))\n\
         \x20 + (SELECT count(*) FROM pg_trigger WHERE tgrelid = {name} AND NOT tgisinternal\n\
         \x20    AND (tgenabled <> 'O' OR tgname <> ALL ({triggers})))\n\
         \x20 + (SELECT count(*) FROM pg_constraint WHERE {name} IN (conrelid, confrelid) AND contype = 'f'\n\
         \x20    AND conname <> ALL ({keys}))\n\
         \x20 + (SELECT count(*) FROM pg_rewrite WHERE ev_class = {name})\n\
         \x20 + (SELECT count(*) FROM pg_inherits WHERE {name} IN (inhrelid, inhparent))\n\
         \x20 + (SELECT count(*) FROM pg_statistic_ext WHERE stxrelid = {name})\n\
         \x20 + (SELECT count(*) FROM pg_publication_tables WHERE format('%I.%I', schemaname, tablename)::regclass = {name})\n\
         \x20 + (SELECT count(*) FROM pg_depend WHERE deptype = 'n' AND classid IN ('pg_rewrite'::regclass, 'pg_proc'::regclass,\n\
         \x20    'pg_class'::regclass) AND (refclassid = 'pg_class'::regclass AND refobjid = {name}\n\
         \x20    OR refclassid = 'pg_type'::regclass AND refobjid = (SELECT reltype FROM pg_class WHERE oid = {name})))"
    )
}

/// Names as an array of SQL.
fn names(names: &[&str]) -> String {
    let literals: Vec<String> = names.iter().copied().map(quote_literal).collect();
    format!("ARRAY[{}]::name[]", literals.join(", "))
}

/// What `LIKE` leaves out.
fn other_settings(of: &str, on: &str, place: bool) -> String {
    let place = if place { ", reltablespace, to_jsonb(c) ->> 'relam'" } else { "" };
    let of_table = |name: &str| {
        format!(
            "SELECT relowner, relacl::text, reloptions::text, relreplident, obj_description(oid, 'pg_class'){place}\n\
             \x20   FROM pg_class c WHERE oid = {}",
            class(name)
        )
    };
    let of_columns = |name: &str| {
        format!(
            "SELECT attname, attacl::text, attstattarget, attoptions::text FROM pg_attribute\n\
             \x20   WHERE attrelid = {} AND attnum > 0 AND NOT attisdropped",
            class(name)
        )
    };
    format!(
        "SELECT (SELECT count(*) FROM ({} EXCEPT {}) one)\n  + (SELECT count(*) FROM ({} EXCEPT {}) one)",
        of_table(of),
        of_table(on),
        of_columns(of),
        of_columns(on)
    )
}

fn unlike(pairs: &[(String, String)]) -> String {
    let pair =
        |(own, there): &(String, String)| format!("({}, {})", quote_literal(own), quote_literal(there));
    let pairs: Vec<String> = pairs.iter().map(pair).collect();
    let definition = |name: &str| format!("substring(pg_get_indexdef(to_regclass({name})) from ' USING .*')");
    format!(
        "SELECT count(*) FROM (VALUES {}) AS pair (own, there) WHERE to_regclass(there) IS NULL OR {} IS DISTINCT FROM {}",
        pairs.join(", "),
        definition("own"),
        definition("there")
    )
}

fn unknown(schema: &str, known: &[&str]) -> String {
    let schema = quote_literal(schema);
    let known: Vec<String> = known.iter().copied().map(quote_literal).collect();
    let known = if known.is_empty() { "''".to_owned() } else { known.join(", ") };
    format!(
        "SELECT (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = {schema} AND c.relkind IN \
         ('r', 'p', 'v', 'm', 'f') AND c.relname NOT IN ({known})) + (SELECT count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = \
         p.pronamespace WHERE n.nspname = {schema})"
    )
}
