-- The role of this connection, and which of the views are its own.
-- in   names text[], views as SQL writes them
-- out  role text, is_superuser boolean, bypasses boolean, owned text[]
SELECT r.rolname AS role, r.rolsuper AS is_superuser, r.rolbypassrls AS bypasses,
       (SELECT coalesce(array_agg(requested.name ORDER BY requested.name), '{}')
          FROM unnest(%s::text[]) AS requested (name)
          JOIN pg_class c ON c.oid = to_regclass(requested.name)
         WHERE pg_has_role(r.oid, c.relowner, 'USAGE')) AS owned
  FROM pg_roles r
 WHERE r.rolname = current_user
