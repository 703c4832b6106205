-- The functions of the database's own schemas, for a name that is nearly one of them.
SELECT CASE WHEN pg_function_is_visible(p.oid) THEN p.proname ELSE n.nspname || '.' || p.proname END
  FROM pg_proc p
  JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE p.prokind = 'f' AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%%'
