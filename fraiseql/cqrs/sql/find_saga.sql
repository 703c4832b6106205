-- in   id uuid
-- out  id, name, steps, input, results, done, status, error: as tb_saga has them, documents as text
SELECT id, name, steps, input::text, results::text, done, status, error
  FROM tb_saga
 WHERE id = %s
