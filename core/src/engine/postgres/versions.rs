//! Forms of statements that not every version has: each with the version that brought it, and a statement that shows it.
//!
//! `tests/src/versions.rs` runs the statements on a server: what an older version takes, or its own version refuses, does not belong here.

use crate::dialect::Target;
use crate::statement::{Script, Statement, Token, TokenKind};

/// A form that a version brought.
#[derive(Debug)]
pub struct Form {
    /// What it is called in a message.
    pub name: &'static str,
    /// The first version that has it.
    pub since: u16,
    /// The words that the statement begins with.
    pub begins: &'static str,
    /// The words, parentheses and commas that stand in it one behind the other; `|` parts alternatives.
    pub holds: &'static str,
    /// A statement of this form, on a table `t (id int, a int, note text)` with the index `t_a`, and a view `v` of it.
    pub example: &'static str,
}

const fn form(
    since: u16,
    name: &'static str,
    begins: &'static str,
    holds: &'static str,
    example: &'static str,
) -> Form {
    Form { name, since, begins, holds, example }
}

/// The forms, by version. What is asked of a single operation anyway stands with its effect.
pub static FORMS: &[Form] = &[
    form(
        12,
        "GENERATED … STORED",
        "",
        ") stored",
        "CREATE TABLE n (a int, b int GENERATED ALWAYS AS (a + 1) STORED)",
    ),
    form(12, "COMMIT AND CHAIN", "commit", "and chain", "COMMIT AND CHAIN"),
    form(12, "ROLLBACK AND CHAIN", "rollback", "and chain", "ROLLBACK AND CHAIN"),
    form(12, "VACUUM (SKIP_LOCKED)", "vacuum", "( skip_locked|, skip_locked", "VACUUM (SKIP_LOCKED) t"),
    form(12, "VACUUM (TRUNCATE)", "vacuum", "( truncate|, truncate", "VACUUM (TRUNCATE false) t"),
    form(
        12,
        "VACUUM (INDEX_CLEANUP)",
        "vacuum",
        "( index_cleanup|, index_cleanup",
        "VACUUM (INDEX_CLEANUP false) t",
    ),
    form(12, "AS MATERIALIZED", "", "as materialized (", "WITH x AS MATERIALIZED (SELECT 1) SELECT * FROM x"),
    form(
        12,
        "AS NOT MATERIALIZED",
        "",
        "as not materialized (",
        "WITH x AS NOT MATERIALIZED (SELECT 1) SELECT * FROM x",
    ),
    form(13, "WITH TIES", "", "with ties", "SELECT * FROM t ORDER BY id FETCH FIRST 1 ROW WITH TIES"),
    form(13, "VACUUM (PARALLEL)", "vacuum", "( parallel|, parallel", "VACUUM (PARALLEL 2) t"),
    form(
        13,
        "ALTER STATISTICS … SET STATISTICS",
        "alter statistics",
        "set statistics",
        "ALTER STATISTICS s SET STATISTICS 10",
    ),
    form(13, "IS NORMALIZED", "", "is normalized", "SELECT 'a' IS NORMALIZED"),
    form(
        14,
        "a body with BEGIN ATOMIC",
        "create",
        "begin atomic",
        "CREATE PROCEDURE p() LANGUAGE sql BEGIN ATOMIC SELECT 1; END",
    ),
    form(
        14,
        "SEARCH BREADTH FIRST",
        "",
        "search breadth first",
        "WITH RECURSIVE x(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM x WHERE i < 3) SEARCH BREADTH FIRST BY i SET o SELECT * FROM x",
    ),
    form(
        14,
        "SEARCH DEPTH FIRST",
        "",
        "search depth first",
        "WITH RECURSIVE x(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM x WHERE i < 3) SEARCH DEPTH FIRST BY i SET o SELECT * FROM x",
    ),
    form(14, "GROUP BY DISTINCT", "", "group by distinct", "SELECT 1 FROM t GROUP BY DISTINCT a"),
    form(
        14,
        "COMPRESSION",
        "create table",
        "compression pglz|compression lz4",
        "CREATE TABLE n (a text COMPRESSION pglz)",
    ),
    form(
        14,
        "ALTER SUBSCRIPTION … ADD PUBLICATION",
        "alter subscription",
        "add publication",
        "ALTER SUBSCRIPTION s ADD PUBLICATION p",
    ),
    form(
        15,
        "( security_invoker|, security_invoker",
        "create view",
        "( security_invoker|, security_invoker",
        "CREATE VIEW n WITH (security_invoker = true) AS SELECT 1 AS a",
    ),
    form(
        15,
        "( security_invoker|, security_invoker",
        "create or replace view",
        "( security_invoker|, security_invoker",
        "CREATE OR REPLACE VIEW n WITH (security_invoker = true) AS SELECT 1 AS a",
    ),
    form(
        15,
        "( security_invoker|, security_invoker",
        "alter view",
        "( security_invoker|, security_invoker",
        "ALTER VIEW v SET (security_invoker = true)",
    ),
    form(
        15,
        "TABLES IN SCHEMA",
        "create publication",
        "tables in schema",
        "CREATE PUBLICATION n FOR TABLES IN SCHEMA public",
    ),
    form(
        15,
        "SET NULL with a list of columns",
        "",
        "delete set null (|update set null (",
        "CREATE TABLE n (a int, b int, FOREIGN KEY (a) REFERENCES k (id) ON DELETE SET NULL (a))",
    ),
    form(
        15,
        "SET DEFAULT with a list of columns",
        "",
        "delete set default (|update set default (",
        "CREATE TABLE n (a int, b int, FOREIGN KEY (a) REFERENCES k (id) ON DELETE SET DEFAULT (a))",
    ),
    form(
        15,
        "ON PARAMETER",
        "grant",
        "set on parameter|system on parameter",
        "GRANT SET ON PARAMETER work_mem TO public",
    ),
    form(15, "CREATE UNLOGGED SEQUENCE", "create unlogged sequence", "", "CREATE UNLOGGED SEQUENCE n"),
    form(
        15,
        "NULLS NOT DISTINCT",
        "create table",
        "nulls not distinct",
        "CREATE TABLE n (a int UNIQUE NULLS NOT DISTINCT)",
    ),
    form(16, "IS JSON", "", "is json", "SELECT note IS JSON FROM t"),
    form(
        16,
        "STORAGE in CREATE TABLE",
        "create table",
        "storage external",
        "CREATE TABLE n (a text STORAGE EXTERNAL)",
    ),
    form(
        16,
        "GRANT … WITH INHERIT",
        "grant",
        "with inherit",
        "GRANT pg_monitor TO pg_read_all_stats WITH INHERIT TRUE",
    ),
    form(
        16,
        "VACUUM (BUFFER_USAGE_LIMIT)",
        "vacuum",
        "( buffer_usage_limit|, buffer_usage_limit",
        "VACUUM (BUFFER_USAGE_LIMIT '1 MB') t",
    ),
    form(
        17,
        "NOT MATCHED BY SOURCE",
        "merge",
        "not matched by source",
        "MERGE INTO t USING (VALUES (1)) AS s (id) ON t.id = s.id WHEN NOT MATCHED BY SOURCE THEN DELETE",
    ),
    form(
        17,
        "RETURNING of MERGE",
        "merge",
        "returning",
        "MERGE INTO t USING (VALUES (1)) AS s (id) ON t.id = s.id WHEN MATCHED THEN DELETE RETURNING merge_action()",
    ),
    form(
        17,
        "JSON_TABLE",
        "",
        "json_table (",
        "SELECT * FROM JSON_TABLE('{}', '$' COLUMNS (a int PATH '$.a')) AS j",
    ),
    form(
        17,
        "COPY with ON_ERROR",
        "copy",
        "( on_error|, on_error",
        "COPY t FROM PROGRAM 'true' WITH (FORMAT csv, ON_ERROR ignore)",
    ),
    form(17, "AT LOCAL", "", "at local", "SELECT now() AT LOCAL"),
    form(
        18,
        "WITHOUT OVERLAPS",
        "",
        "without overlaps",
        "CREATE TABLE n (a int4range, b daterange, PRIMARY KEY (a, b WITHOUT OVERLAPS))",
    ),
    form(18, "VIRTUAL", "", ") virtual", "CREATE TABLE n (a int, b int GENERATED ALWAYS AS (a + 1) VIRTUAL)"),
    form(
        18,
        "NOT ENFORCED",
        "create table",
        "not enforced",
        "CREATE TABLE n (a int CHECK (a > 1) NOT ENFORCED)",
    ),
    form(
        18,
        "RETURNING with OLD and NEW",
        "",
        "returning with (",
        "DELETE FROM t RETURNING WITH (OLD AS o) o.id",
    ),
    form(
        18,
        "COPY with REJECT_LIMIT",
        "copy",
        "( reject_limit|, reject_limit",
        "COPY t FROM PROGRAM 'true' WITH (FORMAT csv, ON_ERROR ignore, REJECT_LIMIT 3)",
    ),
    form(18, "VACUUM ONLY", "vacuum only", "", "VACUUM ONLY t"),
    form(18, "ANALYZE ONLY", "analyze only", "", "ANALYZE ONLY t"),
    form(
        19,
        "ON CONFLICT DO SELECT",
        "insert",
        "do select",
        "INSERT INTO t (id) VALUES (1) ON CONFLICT (id) DO SELECT FOR UPDATE RETURNING id",
    ),
    form(
        19,
        "IGNORE NULLS",
        "",
        "ignore nulls over|respect nulls over",
        "SELECT lag(a) IGNORE NULLS OVER (ORDER BY id) FROM t",
    ),
    form(
        19,
        "COPY with FORMAT json",
        "copy",
        "( format json|, format json",
        "COPY t TO PROGRAM 'cat >/dev/null' WITH (FORMAT json)",
    ),
    form(
        19,
        "COPY with ON_ERROR set_null",
        "copy",
        "on_error set_null",
        "COPY t FROM PROGRAM 'true' WITH (FORMAT csv, ON_ERROR set_null)",
    ),
    form(19, "WAIT FOR LSN", "wait for lsn", "", "WAIT FOR LSN '0/0' WITH (NO_THROW)"),
    form(19, "CHECKPOINT with options", "checkpoint (", "", "CHECKPOINT (MODE FAST)"),
    form(
        19,
        "FOR ALL TABLES EXCEPT",
        "create publication",
        "all tables except (",
        "CREATE PUBLICATION n FOR ALL TABLES EXCEPT (TABLE t)",
    ),
    form(
        19,
        "FOR ALL SEQUENCES",
        "create publication",
        "all sequences",
        "CREATE PUBLICATION n FOR ALL SEQUENCES",
    ),
    form(
        19,
        "ALTER PUBLICATION … SET ALL",
        "alter publication",
        "set all tables|set all sequences",
        "ALTER PUBLICATION n SET ALL SEQUENCES",
    ),
    form(
        19,
        "ALTER SUBSCRIPTION … REFRESH SEQUENCES",
        "alter subscription",
        "refresh sequences",
        "ALTER SUBSCRIPTION s REFRESH SEQUENCES",
    ),
    form(
        19,
        "CREATE SUBSCRIPTION … SERVER",
        "create subscription",
        "server",
        "CREATE SUBSCRIPTION n SERVER x PUBLICATION p",
    ),
    form(
        19,
        "CONNECTION of a foreign data wrapper",
        "create foreign data wrapper",
        "connection",
        "CREATE FOREIGN DATA WRAPPER n NO CONNECTION",
    ),
    form(
        NEVER,
        "ALTER TABLE … MERGE PARTITIONS",
        "alter table",
        "merge partitions (",
        "ALTER TABLE t MERGE PARTITIONS (a, b) INTO c",
    ),
    form(
        NEVER,
        "ALTER TABLE … SPLIT PARTITION",
        "alter table",
        "split partition",
        "ALTER TABLE t SPLIT PARTITION a INTO (PARTITION b DEFAULT)",
    ),
    form(
        NEVER,
        "CREATE PROPERTY GRAPH",
        "create property graph",
        "",
        "CREATE PROPERTY GRAPH g VERTEX TABLES (t)",
    ),
    form(
        NEVER,
        "UPDATE … FOR PORTION OF",
        "update",
        "for portion of",
        "UPDATE t FOR PORTION OF p FROM '2020-01-01' TO '2021-01-01' SET a = 1",
    ),
    form(
        NEVER,
        "DELETE … FOR PORTION OF",
        "delete",
        "for portion of",
        "DELETE FROM t FOR PORTION OF p FROM '2020-01-01' TO '2021-01-01'",
    ),
];

/// The version of forms that articles and betas had, and no version has.
const NEVER: u16 = u16::MAX;

/// Whether a partition that is detached concurrently keeps its bound as a check: from 14, which brought that, to 18 (measured).
pub(crate) fn detach_leaves_check(target: &Target) -> bool {
    target.version.major < 19
}

/// Why the target does not know the form of a statement.
pub(crate) fn refused(script: &Script<'_>, statement: &Statement, target: &Target) -> Option<String> {
    let newer = FORMS.iter().filter(|it| it.since > target.version.major);
    let tokens = script.tokens_of(statement);
    let shown = newer.rev().find(|form| is_of(form, script.text, tokens))?;
    if shown.since == NEVER {
        return Some(format!("{} is in no version of PostgreSQL up to 19", shown.name));
    }
    Some(format!("{} needs PostgreSQL {}; the target is {}", shown.name, shown.since, target.version.major))
}

fn is_of(form: &Form, text: &str, tokens: &[Token]) -> bool {
    let holds = |words: &str| (0..tokens.len()).any(|at| stands_at(words, text, &tokens[at..]));
    stands_at(form.begins, text, tokens) && (form.holds.is_empty() || form.holds.split('|').any(holds))
}

/// Whether the words come first; a name in quotes is none.
fn stands_at(words: &str, text: &str, tokens: &[Token]) -> bool {
    let mut tokens = tokens.iter();
    words.split_ascii_whitespace().all(|word| {
        tokens.next().is_some_and(|token| {
            let own =
                matches!(token.kind, TokenKind::Word | TokenKind::Open | TokenKind::Close | TokenKind::Comma);
            own && token.span.len() == word.len() && token.span.of(text).eq_ignore_ascii_case(word)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::{Dialect, Version};

    fn found(sql: &str, version: u16) -> Option<String> {
        let script = Script::read(sql, Dialect::Postgres);
        refused(&script, &script.statements[0], &Target::postgres(Version::major(version)))
    }

    #[test]
    fn examples_are_of_their_form() {
        for form in FORMS {
            let never = form.since == NEVER;
            let before = found(form.example, if never { 19 } else { form.since - 1 });
            let says = if never { "no version".to_owned() } else { format!("PostgreSQL {}", form.since) };
            assert!(before.is_some_and(|it| it.contains(&says)), "{}", form.example);
            assert_eq!(found(form.example, 19).is_some(), never, "{}", form.example);
        }
    }

    #[test]
    fn names_are_no_forms() {
        assert_eq!(found(r#"SELECT "is" FROM t AS "json" ORDER BY stored_at"#, 11), None);
        for sql in [
            "CREATE TABLE n (a text, compression int, stored int)",
            "ALTER TABLE t ALTER a SET DEFAULT (7)",
            "GRANT SELECT ON parameter TO app",
            "COPY (SELECT lower(a) WHERE true) TO STDOUT",
        ] {
            assert_eq!(found(sql, 11), None, "{sql}");
        }
    }
}
