-- A table, view, materialized view or index.
-- in   schema text or null for where CREATE would put it, name text
-- out  object oid, is_valid bool: false for an index whose concurrent building failed
SELECT c.oid, coalesce(i.indisvalid, true)
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_index i ON i.indexrelid = c.oid
 WHERE n.nspname = coalesce(%s, current_schema()) AND c.relname = %s
