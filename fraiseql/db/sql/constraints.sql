-- The columns that constraints and unique indexes speak of.
-- in   names text[]: schema, table and constraint of each, quoted and joined by dots
-- out  one JSON object for each that exists, with its columns in order
SELECT json_build_object(
         'requested', requested.name,
         'columns', (
             SELECT coalesce(json_agg(a.attname ORDER BY key.place), '[]')
               FROM unnest(coalesce(k.conkey, i.indkey::int2[])) WITH ORDINALITY AS key (number, place)
               JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = key.number)
       )::text
  FROM unnest(%s::text[]) AS requested (name)
 CROSS JOIN parse_ident(requested.name) AS parts
  JOIN pg_namespace n ON n.nspname = parts[1]
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = parts[2]
  LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.conname = parts[3]
  LEFT JOIN pg_class x ON x.relnamespace = n.oid AND x.relname = parts[3] AND x.relkind IN ('i', 'I')
  LEFT JOIN pg_index i ON i.indexrelid = x.oid AND i.indrelid = c.oid
 WHERE k.oid IS NOT NULL OR i.indexrelid IS NOT NULL
