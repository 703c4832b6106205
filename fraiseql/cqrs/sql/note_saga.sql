-- How far a saga is now; the error of the step that failed stays.
-- in   done int, results jsonb, status text, error text, id uuid
-- out  as find_saga.sql
UPDATE tb_saga
   SET done = %s, results = %s, status = %s, error = coalesce(%s, error), updated_at = clock_timestamp()
 WHERE id = %s
RETURNING id, name, steps, input::text, results::text, done, status, error
