-- What COMMENT ON says of a view and its columns.
-- in   name text, as SQL writes it
-- out  name text, null for the view itself; description text
SELECT a.attname AS name, d.description
  FROM pg_description d
  LEFT JOIN pg_attribute a ON a.attrelid = d.objoid AND a.attnum = d.objsubid AND d.objsubid > 0
 WHERE d.classoid = 'pg_class'::regclass AND d.objoid = to_regclass(%s)
