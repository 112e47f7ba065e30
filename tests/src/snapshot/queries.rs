//! The catalog queries of a snapshot: each gives a name and then properties; empty properties are left out.
//! What a version does not have, `attgenerated` before 12, is asked for through `to_jsonb`.

/// Kind and query, in the order in which they are printed.
pub(super) const ALL: &[(&str, &str)] = &[
    (
        "schema",
        "SELECT nspname, nspacl::text FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
         ORDER BY 1",
    ),
    ("extension", "SELECT extname, extversion, extnamespace::regnamespace::text FROM pg_extension ORDER BY 1"),
    (
        "table",
        "SELECT c.oid::regclass::text,
                CASE c.relkind WHEN 'p' THEN 'partitioned by ' || pg_get_partkeydef(c.oid) END,
                CASE c.relpersistence WHEN 'u' THEN 'unlogged' END,
                (SELECT 'child of ' || string_agg(inhparent::regclass::text, ' ' ORDER BY inhseqno)
                 FROM pg_inherits WHERE inhrelid = c.oid),
                pg_get_expr(c.relpartbound, c.oid), array_to_string(c.reloptions, ' '),
                CASE WHEN c.relrowsecurity THEN 'row security' END,
                CASE WHEN c.relforcerowsecurity THEN 'forced' END,
                (SELECT 'in ' || spcname FROM pg_tablespace p WHERE p.oid = c.reltablespace),
                (SELECT 'of ' || amname FROM pg_am m WHERE m.oid = c.relam AND amname <> 'heap'),
                CASE c.relreplident WHEN 'd' THEN NULL ELSE 'replica identity ' || c.relreplident::text END,
                pg_get_userbyid(c.relowner),
                array(SELECT i::text FROM unnest(coalesce(c.relacl, acldefault('r', c.relowner))) i ORDER BY 1)::text
         FROM pg_class c WHERE c.relkind IN ('r', 'p', 'f') AND c.relnamespace IN (SELECT oid FROM pg_namespace
              WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')
           AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = c.oid AND deptype = 'e')
         ORDER BY 1",
    ),
    (
        "column",
        "SELECT a.attrelid::regclass || '.' || quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
                CASE WHEN a.attnotnull THEN 'not null' END,
                CASE coalesce(to_jsonb(a) ->> 'attgenerated', '') WHEN '' THEN 'default ' ELSE 'generated ' END
                || pg_get_expr(d.adbin, d.adrelid),
                CASE a.attidentity WHEN 'a' THEN 'identity always' WHEN 'd' THEN 'identity by default' END,
                CASE WHEN a.attcollation <> t.typcollation THEN 'collate '
                || (SELECT collnamespace::regnamespace || '.' || collname FROM pg_collation n WHERE n.oid = a.attcollation) END,
                nullif(array(SELECT i::text FROM unnest(a.attacl) i ORDER BY 1)::text, '{}')
         FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
         LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'f', 'c')
           AND c.relnamespace IN (SELECT oid FROM pg_namespace
               WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')
         ORDER BY a.attrelid::regclass::text, a.attname",
    ),
    (
        "constraint",
        "SELECT CASE WHEN conrelid = 0 THEN contypid::regtype::text ELSE conrelid::regclass::text END
                || '.' || quote_ident(conname),
                pg_get_constraintdef(oid), CASE WHEN NOT convalidated THEN 'not validated' END
         FROM pg_constraint WHERE contype <> 't'
           AND connamespace IN (SELECT oid FROM pg_namespace
               WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')
         ORDER BY 1, 2",
    ),
    (
        "index",
        "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid),
                CASE WHEN NOT i.indisvalid THEN 'invalid' END, CASE WHEN NOT i.indisready THEN 'not ready' END,
                CASE WHEN i.indisclustered THEN 'clustered' END,
                CASE WHEN i.indisreplident THEN 'replica identity' END,
                (SELECT 'in ' || spcname FROM pg_tablespace p WHERE p.oid = c.reltablespace)
         FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
         WHERE c.relnamespace IN (SELECT oid FROM pg_namespace
               WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')
         ORDER BY 1",
    ),
    (
        "sequence",
        "SELECT s.seqrelid::regclass::text, s.seqtypid::regtype::text,
                format('start %s step %s from %s to %s', s.seqstart, s.seqincrement, s.seqmin, s.seqmax),
                CASE WHEN s.seqcycle THEN 'cycle' END,
                (SELECT 'owned by ' || d.refobjid::regclass || '.' || quote_ident(a.attname) FROM pg_depend d
                 JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                 WHERE d.objid = s.seqrelid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i'))
         FROM pg_sequence s ORDER BY 1",
    ),
    (
        "view",
        "SELECT oid::regclass::text, pg_get_viewdef(oid), array_to_string(reloptions, ' ') FROM pg_class
         WHERE relkind = 'v' AND relnamespace IN (SELECT oid FROM pg_namespace
               WHERE nspname !~ '^pg_' AND nspname <> 'information_schema') ORDER BY 1",
    ),
    (
        "materialized view",
        "SELECT oid::regclass::text, pg_get_viewdef(oid), CASE WHEN NOT relispopulated THEN 'not populated' END
         FROM pg_class WHERE relkind = 'm' ORDER BY 1",
    ),
    (
        "trigger",
        "SELECT tgrelid::regclass || '.' || quote_ident(tgname), pg_get_triggerdef(oid),
                CASE tgenabled WHEN 'O' THEN NULL ELSE 'enabled ' || tgenabled::text END
         FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1",
    ),
    (
        "function",
        "SELECT p.oid::regprocedure::text, CASE WHEN p.prokind IN ('f', 'p') THEN pg_get_functiondef(p.oid) END,
                array(SELECT i::text FROM unnest(coalesce(p.proacl, acldefault('f', p.proowner))) i ORDER BY 1)::text
         FROM pg_proc p WHERE p.pronamespace IN (SELECT oid FROM pg_namespace
              WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')
           AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')
         ORDER BY 1",
    ),
    (
        "enum",
        "SELECT enumtypid::regtype::text, string_agg(quote_literal(enumlabel), ' ' ORDER BY enumsortorder)
         FROM pg_enum GROUP BY enumtypid ORDER BY 1",
    ),
    (
        "domain",
        "SELECT oid::regtype::text, format_type(typbasetype, typtypmod), CASE WHEN typnotnull THEN 'not null' END,
                'default ' || typdefault
         FROM pg_type WHERE typtype = 'd' AND typnamespace IN (SELECT oid FROM pg_namespace
              WHERE nspname !~ '^pg_' AND nspname <> 'information_schema') ORDER BY 1",
    ),
    (
        "policy",
        "SELECT polrelid::regclass || '.' || quote_ident(polname), polcmd::text, polpermissive::text,
                polroles::regrole[]::text, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)
         FROM pg_policy ORDER BY 1",
    ),
    (
        "rule",
        "SELECT ev_class::regclass || '.' || quote_ident(rulename), pg_get_ruledef(oid) FROM pg_rewrite
         WHERE rulename <> '_RETURN' AND ev_class IN (SELECT oid FROM pg_class WHERE relnamespace IN
              (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'))
         ORDER BY 1",
    ),
    (
        "comment",
        "SELECT coalesce(o.type || ' ' || o.identity, ''), quote_literal(d.description) FROM pg_description d,
                LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) o
         WHERE o.schema IS DISTINCT FROM 'pg_catalog' AND o.schema IS DISTINCT FROM 'information_schema'
           AND o.type IN ('table', 'table column', 'view', 'index', 'sequence', 'type', 'table constraint', 'function',
                          'trigger', 'materialized view')
           AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = d.objoid AND deptype = 'e')
         ORDER BY 1",
    ),
];

/// The names of each table's columns in their order. By itself, so that it can be left out.
pub(super) const COLUMN_ORDER: &str = "
    SELECT n.nspname || '.' || c.relname, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'f')
      AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    GROUP BY 1 ORDER BY 1";
