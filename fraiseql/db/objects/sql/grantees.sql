-- Who has rights on an object, and on its columns.
-- in   class oid, object oid, class oid, object oid
-- out  role text or null for PUBLIC, as SQL writes it
SELECT DISTINCT nullif(g.grantee, 0)::regrole::text
  FROM (
       SELECT coalesce(c.relacl, acldefault('r', c.relowner)) FROM pg_class c
        WHERE 'pg_class'::regclass = %s AND c.oid = %s
        UNION ALL
       SELECT coalesce(p.proacl, acldefault('f', p.proowner)) FROM pg_proc p
        WHERE 'pg_proc'::regclass = %s AND p.oid = %s
       ) AS made (acl), aclexplode(made.acl) AS g
