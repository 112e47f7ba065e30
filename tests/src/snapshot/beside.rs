//! What a snapshot leaves out so far: how columns are stored, rights and owners of all that is no table, and the like. The
//! comparison of schemas in core knows it, and is compared with the server on it.

/// Kind and query, as in [`super::queries::ALL`].
pub(super) const ALL: &[(&str, &str)] = &[
    (
        "storage",
        "SELECT a.attrelid::regclass || '.' || quote_ident(a.attname),
                'statistics ' || nullif(coalesce(a.attstattarget, -1), -1),
                CASE WHEN a.attstorage <> t.typstorage THEN 'storage ' || a.attstorage::text END,
                'compression ' || nullif(to_jsonb(a) ->> 'attcompression', ''), a.attoptions::text
         FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
         WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'f')
           AND c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')
         ORDER BY 1",
    ),
    (
        "column of a view",
        "SELECT a.attrelid::regclass || '.' || quote_ident(a.attname), pg_get_expr(d.adbin, d.adrelid),
                nullif(array(SELECT i::text FROM unnest(a.attacl) i ORDER BY 1)::text, '{}')
         FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
         LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE a.attnum > 0 AND c.relkind IN ('v', 'm') AND c.relnamespace = 'public'::regnamespace ORDER BY 1",
    ),
    (
        "relation",
        "SELECT c.oid::regclass::text, c.relkind::text, pg_get_userbyid(c.relowner), c.relpersistence::text,
                array(SELECT o FROM unnest(c.reloptions) o ORDER BY 1)::text,
                CASE WHEN c.relkind <> 'i' THEN array(SELECT i::text FROM unnest(coalesce(c.relacl, acldefault(
                CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::\"char\", c.relowner))) i ORDER BY 1)::text END
         FROM pg_class c WHERE c.relkind IN ('v', 'm', 'S', 'i') AND c.relnamespace = 'public'::regnamespace ORDER BY 1",
    ),
    (
        "type",
        "SELECT t.oid::regtype::text, t.typtype::text, pg_get_userbyid(t.typowner),
                array(SELECT i::text FROM unnest(coalesce(t.typacl, acldefault('T', t.typowner))) i ORDER BY 1)::text,
                (SELECT rngsubtype::regtype::text FROM pg_range r WHERE r.rngtypid = t.oid),
                (SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute a WHERE a.attrelid = t.typrelid AND NOT attisdropped)
         FROM pg_type t WHERE t.typnamespace = 'public'::regnamespace AND t.typcategory <> 'A'
           AND (t.typrelid = 0 OR EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c')) ORDER BY 1",
    ),
    (
        "statistics",
        "SELECT stxname::text, pg_get_statisticsobjdef(oid), nullif(coalesce((to_jsonb(s) ->> 'stxstattarget')::int, -1), -1)::text
         FROM pg_statistic_ext s ORDER BY 1",
    ),
    (
        "comment on a view's column",
        "SELECT attrelid::regclass || '.' || attname, col_description(attrelid, attnum) FROM pg_attribute a
         JOIN pg_class c ON c.oid = a.attrelid WHERE c.relkind IN ('v', 'm') AND a.attnum > 0
           AND c.relnamespace = 'public'::regnamespace ORDER BY 1",
    ),
    ("owner of a function", "SELECT oid::regprocedure::text, pg_get_userbyid(proowner) FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1"),
];
