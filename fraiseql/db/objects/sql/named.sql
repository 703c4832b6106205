-- The objects of a kind and a name in a schema.
-- in   schema text, name text, table text or null, kind text: of a Head
-- out  class oid, object oid, identity text: what tells overloads apart
SELECT found.class::oid, found.object, found.identity
  FROM (SELECT %s::text AS schema, %s::text AS name, %s::text AS "table", %s::text AS kind) AS asked
  JOIN pg_namespace n ON n.nspname = asked.schema
 CROSS JOIN LATERAL (
       SELECT 'pg_class'::regclass, c.oid, ''
         FROM pg_class c
        WHERE asked.kind IN ('table', 'view', 'materialized view', 'index')
          AND c.relnamespace = n.oid AND c.relname = asked.name
        UNION ALL
       SELECT 'pg_proc'::regclass, p.oid, pg_get_function_identity_arguments(p.oid)
         FROM pg_proc p
        WHERE asked.kind IN ('function', 'procedure')
          AND p.pronamespace = n.oid AND p.proname = asked.name AND p.prokind <> 'a'
        UNION ALL
       SELECT 'pg_type'::regclass, t.oid, ''
         FROM pg_type t
        WHERE asked.kind IN ('type', 'domain') AND t.typnamespace = n.oid AND t.typname = asked.name
        UNION ALL
       SELECT 'pg_trigger'::regclass, t.oid, ''
         FROM pg_trigger t
         JOIN pg_class c ON c.oid = t.tgrelid
        WHERE asked.kind = 'trigger' AND c.relnamespace = n.oid AND c.relname = asked.table AND t.tgname = asked.name
        UNION ALL
       SELECT 'pg_policy'::regclass, p.oid, ''
         FROM pg_policy p
         JOIN pg_class c ON c.oid = p.polrelid
        WHERE asked.kind = 'policy' AND c.relnamespace = n.oid AND c.relname = asked.table AND p.polname = asked.name
       ) AS found (class, object, identity)
