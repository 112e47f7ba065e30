//! Two databases compared by the server's catalog, and the rows of their tables.

use std::collections::BTreeSet;

use crate::catalog::Catalog;
use crate::error::{RehearseError, While};
use crate::session::Session;

/// So many differences are said of one comparison.
const MOST: usize = 40;

/// A schema as lines, each with its kind and its name first.
pub(crate) async fn schema(session: &mut Session) -> Result<BTreeSet<String>, RehearseError> {
    session.run("SET search_path = ''").await.while_("comparing schemas")?;
    let mut lines = BTreeSet::new();
    for (kind, query) in QUERIES {
        for row in session.rows(query).await.while_("comparing schemas")? {
            let texts: Vec<String> = row.into_iter().flatten().filter(|it| !it.is_empty()).collect();
            lines.insert(format!("{kind} {}", texts.join(" | ")));
        }
    }
    session.run("RESET search_path").await.while_("comparing schemas")?;
    Ok(lines)
}

/// What only one of two schemas has: `- ` for the expected one, `+ ` for what was found.
pub(crate) fn difference(expected: &BTreeSet<String>, found: &BTreeSet<String>) -> Vec<String> {
    let missing = expected.difference(found).map(|it| format!("- {it}"));
    let more = found.difference(expected).map(|it| format!("+ {it}"));
    let mut lines: Vec<String> = missing.chain(more).collect();
    // What belongs together stands together.
    lines.sort_by(|one, other| one[2..].cmp(&other[2..]));
    if lines.len() > MOST {
        let rest = lines.len() - MOST;
        lines.truncate(MOST);
        lines.push(format!("and {rest} more"));
    }
    lines
}

/// A table's rows: how many, and a sum over each column that differs when any value does.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rows {
    pub count: String,
    pub columns: Vec<(String, String)>,
}

/// The rows of a table of this name, column by column; `None` where there is no such table.
pub(crate) async fn rows(
    session: &mut Session,
    catalog: &Catalog,
    name: &str,
) -> Result<Option<Rows>, RehearseError> {
    let Some(table) = catalog.named(name) else { return Ok(None) };
    let mut columns: Vec<&str> = table.columns.iter().map(|it| it.name.as_str()).collect();
    columns.sort_unstable();
    // Beside its key, so that values that change places are seen.
    let key = table.primary().map(|key| key.columns.iter().filter_map(|it| table.column(*it)));
    let key: Vec<String> = key.into_iter().flatten().map(|it| format!("t.{}::text", it.name)).collect();
    let sum = |column: &&str| {
        let beside = key.iter().cloned().chain([format!("t.{column}::text")]).collect::<Vec<_>>().join(", ");
        format!("pg_catalog.sum(pg_catalog.hashtextextended(ROW({beside})::text, 0)::numeric)::text")
    };
    let sums: Vec<String> = columns.iter().map(sum).collect();
    let sums = if sums.is_empty() { String::new() } else { format!(", {}", sums.join(", ")) };
    let query = format!("SELECT pg_catalog.count(*)::text{sums} FROM {name} AS t");
    let row = session.rows(&query).await.while_("comparing rows")?.into_iter().next().unwrap_or_default();
    let mut values = row.into_iter().map(Option::unwrap_or_default);
    let count = values.next().unwrap_or_default();
    Ok(Some(Rows { count, columns: columns.iter().map(|it| (*it).to_owned()).zip(values).collect() }))
}

/// What differs in the rows of a table, in words.
pub(crate) fn row_differences(name: &str, expected: &Rows, found: &Rows) -> Vec<(Option<String>, String)> {
    if expected.count != found.count {
        return vec![(None, format!("{name} should have {} rows and has {}", expected.count, found.count))];
    }
    let differs = |column: &&(String, String)| {
        found.columns.iter().find(|it| it.0 == column.0).is_some_and(|it| it.1 != column.1)
    };
    let differing = expected.columns.iter().filter(differs);
    differing
        .map(|(column, _)| (Some(column.clone()), format!("the values of {name}.{column} differ")))
        .collect()
}

const QUERIES: &[(&str, &str)] = &[
    ("schema", "SELECT nspname, nspacl::text FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"),
    ("extension", "SELECT extname, extversion FROM pg_catalog.pg_extension"),
    (
        "relation",
        "SELECT c.oid::regclass::text, c.relkind::text, c.relpersistence::text,
                CASE c.relkind WHEN 'p' THEN pg_get_partkeydef(c.oid) END, pg_get_expr(c.relpartbound, c.oid),
                (SELECT 'part of ' || string_agg(inhparent::regclass::text, ' ' ORDER BY inhseqno) FROM pg_inherits WHERE inhrelid = c.oid),
                array_to_string(c.reloptions, ' '), CASE WHEN c.relrowsecurity THEN 'row security' END,
                CASE WHEN c.relforcerowsecurity THEN 'forced' END, CASE WHEN c.relreplident NOT IN ('d', 'n') THEN 'identity ' || c.relreplident::text END,
                pg_get_userbyid(c.relowner),
                CASE WHEN c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') THEN array(SELECT i::text FROM unnest(coalesce(c.relacl,
                acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::\"char\", c.relowner))) i ORDER BY 1)::text END,
                CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END
         FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S', 'c') AND c.relnamespace IN
              (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')
           AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = c.oid AND deptype = 'e')",
    ),
    (
        "column",
        "SELECT a.attrelid::regclass || '.' || quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
                CASE WHEN a.attnotnull THEN 'not null' END,
                CASE coalesce(to_jsonb(a) ->> 'attgenerated', '') WHEN '' THEN 'default ' ELSE 'generated ' END || pg_get_expr(d.adbin, d.adrelid),
                CASE a.attidentity WHEN 'a' THEN 'identity always' WHEN 'd' THEN 'identity by default' END,
                CASE WHEN a.attcollation <> t.typcollation THEN 'collation ' ||
                (SELECT collnamespace::regnamespace || '.' || collname FROM pg_collation n WHERE n.oid = a.attcollation) END,
                nullif(array(SELECT i::text FROM unnest(a.attacl) i ORDER BY 1)::text, '{}')
         FROM pg_catalog.pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
         LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'f', 'c') AND c.relnamespace IN
              (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')",
    ),
    (
        "constraint",
        "SELECT CASE WHEN conrelid = 0 THEN contypid::regtype::text ELSE conrelid::regclass::text END || '.' || quote_ident(conname),
                pg_get_constraintdef(oid), CASE WHEN NOT convalidated THEN 'not validated' END
         FROM pg_catalog.pg_constraint WHERE contype <> 't' AND contype <> 'n' AND connamespace IN
              (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')",
    ),
    (
        "index",
        "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid), CASE WHEN NOT i.indisvalid THEN 'invalid' END,
                CASE WHEN i.indisclustered THEN 'clustered' END, CASE WHEN i.indisreplident THEN 'replica identity' END
         FROM pg_catalog.pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace IN
              (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')",
    ),
    (
        "sequence",
        "SELECT s.seqrelid::regclass::text, s.seqtypid::regtype::text, s.seqstart::text, s.seqincrement::text, s.seqmin::text, s.seqmax::text,
                CASE WHEN s.seqcycle THEN 'cycle' END,
                (SELECT 'owned by ' || d.refobjid::regclass || '.' || quote_ident(a.attname) FROM pg_depend d
                 JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                 WHERE d.objid = s.seqrelid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i'))
         FROM pg_catalog.pg_sequence s",
    ),
    (
        "trigger",
        "SELECT tgrelid::regclass || '.' || quote_ident(tgname), pg_get_triggerdef(oid), CASE WHEN tgenabled <> 'O' THEN tgenabled::text END
         FROM pg_catalog.pg_trigger WHERE NOT tgisinternal",
    ),
    (
        "function",
        "SELECT p.oid::regprocedure::text, CASE WHEN p.prokind IN ('f', 'p') THEN pg_get_functiondef(p.oid) END, p.proacl::text
         FROM pg_catalog.pg_proc p WHERE p.pronamespace IN
              (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')
           AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')",
    ),
    (
        "enum",
        "SELECT enumtypid::regtype::text, string_agg(quote_literal(enumlabel), ' ' ORDER BY enumsortorder) FROM pg_catalog.pg_enum GROUP BY enumtypid",
    ),
    (
        "domain",
        "SELECT oid::regtype::text, format_type(typbasetype, typtypmod), CASE WHEN typnotnull THEN 'not null' END, 'default ' || typdefault
         FROM pg_catalog.pg_type WHERE typtype = 'd' AND typnamespace IN
              (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')",
    ),
    (
        "policy",
        "SELECT polrelid::regclass || '.' || quote_ident(polname), polcmd::text, polpermissive::text, polroles::regrole[]::text,
                pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid) FROM pg_catalog.pg_policy",
    ),
    (
        "rule",
        "SELECT ev_class::regclass || '.' || quote_ident(rulename), pg_get_ruledef(oid) FROM pg_catalog.pg_rewrite
         WHERE rulename <> '_RETURN' AND ev_class IN (SELECT oid FROM pg_class WHERE relnamespace IN
              (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'))",
    ),
    (
        "comment",
        "SELECT coalesce(o.type || ' ' || o.identity, ''), quote_literal(d.description) FROM pg_catalog.pg_description d,
                LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) o
         WHERE o.schema IS DISTINCT FROM 'pg_catalog' AND o.schema IS DISTINCT FROM 'information_schema'
           AND o.type IN ('table', 'table column', 'view', 'index', 'sequence', 'type', 'table constraint', 'function', 'trigger', 'materialized view')
           AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = d.objoid AND deptype = 'e')",
    ),
    (
        "setting",
        "SELECT coalesce(datname, '') || ' ' || coalesce(rolname, ''), s.setconfig::text FROM pg_catalog.pg_db_role_setting s
         LEFT JOIN pg_database d ON d.oid = s.setdatabase LEFT JOIN pg_roles r ON r.oid = s.setrole WHERE false",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_said_and_nothing_else() {
        let schema = |lines: &[&str]| lines.iter().map(|it| (*it).to_owned()).collect::<BTreeSet<_>>();
        let (one, other) =
            (schema(&["column a.b | int", "index i"]), schema(&["column a.b | text", "index i"]));
        assert_eq!(difference(&one, &other), ["- column a.b | int", "+ column a.b | text"]);
        assert_eq!(difference(&one, &one), [""; 0]);
    }

    #[test]
    fn rows_differ_in_number_or_by_column() {
        let rows = |count: &str, sum: &str| Rows {
            count: count.to_owned(),
            columns: vec![("a".to_owned(), "1".to_owned()), ("b".to_owned(), sum.to_owned())],
        };
        let said =
            |it: Vec<(Option<String>, String)>| it.into_iter().map(|(_, what)| what).collect::<Vec<_>>();
        assert_eq!(
            said(row_differences("t", &rows("2", "7"), &rows("2", "8"))),
            ["the values of t.b differ"]
        );
        assert_eq!(
            said(row_differences("t", &rows("2", "7"), &rows("3", "7"))),
            ["t should have 2 rows and has 3"]
        );
        assert_eq!(row_differences("t", &rows("2", "7"), &rows("2", "7")), []);
    }
}
