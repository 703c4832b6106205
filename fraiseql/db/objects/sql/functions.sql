-- The functions and procedures of a name, every overload.
-- in   schema text or null for where CREATE would put one, name text
-- out  object oid, version text: another one after the function was replaced
SELECT p.oid, concat(p.xmin, p.ctid)
  FROM pg_proc p
  JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE n.nspname = coalesce(%s, current_schema()) AND p.proname = %s AND p.prokind <> 'a'
