-- in   statuses text[], idle_s float8: seconds since anything happened
-- out  as find_saga.sql
SELECT id, name, steps, input::text, results::text, done, status, error
  FROM tb_saga
 WHERE status = ANY (%s) AND updated_at <= clock_timestamp() - %s * interval '1 second'
 ORDER BY pk_saga
