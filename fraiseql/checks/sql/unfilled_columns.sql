-- Columns of a table that an INSERT must give a value.
-- in   name text, as SQL writes it
-- out  name text
SELECT a.attname AS name
  FROM pg_attribute a
 WHERE a.attrelid = to_regclass(%s)
   AND a.attnum > 0 AND NOT a.attisdropped
   AND a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''
 ORDER BY a.attnum
