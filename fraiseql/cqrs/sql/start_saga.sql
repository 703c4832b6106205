-- A saga, or the one of the same name and key that was started before.
-- in   name text, key text, steps text[], input jsonb
-- out  id uuid
INSERT INTO tb_saga (name, key, steps, input)
VALUES (%s, %s, %s, %s)
    ON CONFLICT (name, key) DO UPDATE
   SET key = EXCLUDED.key
RETURNING id
