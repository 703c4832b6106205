-- The server and the role of this connection.
-- out  version text, major int, role text, is_superuser boolean, bypasses boolean, is_standby boolean,
--      max_connections int, encoding text
SELECT current_setting('server_version') AS version,
       current_setting('server_version_num')::int / 10000 AS major,
       r.rolname AS role, r.rolsuper AS is_superuser, r.rolbypassrls AS bypasses,
       pg_is_in_recovery() AS is_standby,
       current_setting('max_connections')::int AS max_connections,
       current_setting('server_encoding') AS encoding
  FROM pg_roles r
 WHERE r.rolname = current_user
