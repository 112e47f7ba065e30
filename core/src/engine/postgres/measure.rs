//! Queries by which a running server tells facts of itself: `tests/src/measured.rs` runs each of them on servers.
//!
//! They read the system's catalog and counters only. None asks for the size of a file: that takes a lock on the table, and so may wait
//! for a migration that is running.

use crate::dialect::Version;

/// Each row is a fact: its name, the table or an empty text, and its value.
pub(super) fn facts(version: Version) -> String {
    // Whole schemas are published since 15. The view of published tables opens each of them since 16.
    let schemas = if version.major >= 15 { PUBLISHED_SCHEMAS } else { "" };
    FACTS.trim().replace("{PUBLISHED_SCHEMAS}", schemas)
}

const PUBLISHED_SCHEMAS: &str = "UNION ALL
  SELECT p.name, s.pnpubid FROM parts AS p JOIN pg_class AS c ON c.oid = p.part JOIN pg_publication_namespace AS s ON s.pnnspid = c.relnamespace";

const FACTS: &str = r"
WITH RECURSIVE parts AS (
  SELECT c.oid AS whole, c.oid AS part,
         CASE n.nspname WHEN 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END AS name
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND NOT c.relispartition
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  UNION ALL
  SELECT p.whole, i.inhrelid, p.name
  FROM parts AS p JOIN pg_inherits AS i ON i.inhparent = p.part JOIN pg_class AS c ON c.oid = i.inhrelid AND c.relispartition
), counters AS (
  SELECT extract(epoch FROM now() - stats_reset) AS seconds FROM pg_stat_database WHERE datname = current_database()
), tables AS (
  SELECT p.name,
         sum(CASE WHEN c.relkind = 'p' THEN 0 WHEN c.reltuples > 0 THEN c.reltuples ELSE coalesce(s.n_live_tup, 0) END)::bigint AS counted,
         bool_and(c.relkind = 'p' OR coalesce(s.last_analyze, s.last_autoanalyze) IS NOT NULL) AS analysed,
         sum((c.relpages::bigint + coalesce(t.relpages, 0)) * current_setting('block_size')::bigint) AS bytes,
         sum(s.n_tup_ins + s.n_tup_upd + s.n_tup_del) AS writes
  FROM parts AS p JOIN pg_class AS c ON c.oid = p.part
       LEFT JOIN pg_class AS t ON t.oid = c.reltoastrelid
       LEFT JOIN pg_stat_all_tables AS s ON s.relid = c.oid
  GROUP BY p.whole, p.name
)
SELECT 'engine', '', 'PostgreSQL ' || current_setting('server_version_num')::int / 10000
UNION ALL
SELECT 'hosting', '', hosting FROM (VALUES
    ('rds_superuser', 'Amazon RDS or Aurora'), ('cloudsqlsuperuser', 'Google Cloud SQL'), ('alloydbsuperuser', 'Google AlloyDB'),
    ('azure_pg_admin', 'Azure Database for PostgreSQL'), ('neon_superuser', 'Neon'), ('supabase_admin', 'Supabase'),
    ('doadmin', 'DigitalOcean'), ('avnadmin', 'Aiven'), ('tsdbadmin', 'Timescale')
  ) AS known (role, hosting) WHERE role IN (SELECT rolname FROM pg_roles)
UNION ALL
SELECT 'replicas', '', count(*)::text FROM pg_stat_replication
WHERE pid NOT IN (SELECT active_pid FROM pg_replication_slots WHERE slot_type = 'logical' AND active_pid IS NOT NULL)
  AND application_name <> 'pg_basebackup'
HAVING count(*) > 0
UNION ALL
SELECT 'longest-transaction', '', greatest(1, round(extract(epoch FROM max(clock_timestamp() - xact_start))))::bigint || ' s'
FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() HAVING max(xact_start) IS NOT NULL
UNION ALL
SELECT 'rows', name, counted::text FROM tables WHERE counted > 0 OR analysed
UNION ALL
SELECT 'row-bytes', name, ceil(bytes::numeric / counted)::text FROM tables WHERE counted > 0 AND bytes > 0
UNION ALL
SELECT 'writes', name, round(writes / seconds)::text FROM tables, counters WHERE seconds > 3600 AND round(writes / seconds) > 0
UNION ALL
SELECT 'publications', name, string_agg(DISTINCT pubname::text, ', ' ORDER BY pubname::text)
FROM pg_publication JOIN (
  SELECT p.name, r.prpubid AS publication FROM parts AS p JOIN pg_publication_rel AS r ON r.prrelid = p.part
  {PUBLISHED_SCHEMAS}
  UNION ALL
  SELECT p.name, u.oid FROM parts AS p, pg_publication AS u WHERE u.puballtables
) AS published ON pg_publication.oid = published.publication GROUP BY name
UNION ALL
SELECT 'unfinished', name, string_agg(what, ', ' ORDER BY what) FROM (
  SELECT p.name, 'index ' || i.relname || ' is invalid' AS what
  FROM parts AS p JOIN pg_index AS x ON x.indrelid = p.part JOIN pg_class AS i ON i.oid = x.indexrelid WHERE NOT x.indisvalid
  UNION ALL
  SELECT p.name, 'constraint ' || k.conname || ' is not validated'
  FROM parts AS p JOIN pg_constraint AS k ON k.conrelid = p.part WHERE NOT k.convalidated
) AS left_over GROUP BY name";

/// The same of statements that ran before, where the extension that counts them stands in a schema, whose name is SQL.
pub(super) fn statements(schema: &str, version: Version) -> String {
    // The column was renamed in 13.
    let longest = if version.major >= 13 { "max_exec_time" } else { "max_time" };
    format!(
        "SELECT 'longest-transaction', '', greatest(1, round(max({longest}) / 1000))::bigint || ' s'\n\
         FROM {schema}.pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())\n\
         HAVING max({longest}) >= 1000"
    )
}

/// One row: the version, the database, and as SQL the schema of the extension that counts statements, or an empty text.
pub(super) const SERVER: &str = "SELECT current_setting('server_version_num')::int / 10000, current_database(),\n\
     coalesce((SELECT quote_ident(n.nspname) FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace \
     WHERE e.extname = 'pg_stat_statements'), '')";
