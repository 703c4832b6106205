-- The views an application binds: tables, views and materialized views with their columns.
-- in   names text[], as SQL writes them: v_post, blog.v_post, blog."Post"; else by search_path
-- out  one JSON object for each name that exists; its keys are those of Relation and Column
-- pg_attribute, not information_schema: the latter leaves out materialized views.
SELECT json_build_object(
         'requested', requested.name,
         'schema', n.nspname,
         'name', c.relname,
         'kind', CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized' ELSE 'table' END,
         'columns', (
             SELECT coalesce(json_agg(json_build_object(
                      'name', a.attname,
                      'type', format_type(a.atttypid, a.atttypmod),
                      'is_json', coalesce(nullif(t.typbasetype, 0), t.oid)
                                 IN ('json'::regtype, 'jsonb'::regtype),
                      'not_null', c.relkind NOT IN ('v', 'm') AND (a.attnotnull OR t.typnotnull),
                      'position', a.attnum
                    ) ORDER BY a.attnum), '[]')
               FROM pg_attribute a
               JOIN pg_type t ON t.oid = a.atttypid
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
         'unique_keys', (
             SELECT coalesce(json_agg(unique_key.columns
                      ORDER BY unique_key.is_primary DESC, unique_key.width, unique_key.name), '[]')
               FROM (
                 SELECT i.indisprimary AS is_primary, i.indnkeyatts AS width, x.relname AS name,
                        json_agg(a.attname ORDER BY part.place) AS columns
                   FROM pg_index i
                   JOIN pg_class x ON x.oid = i.indexrelid
                  CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY AS part (attnum, place)
                   JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = part.attnum
                  WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid
                    AND i.indpred IS NULL AND i.indexprs IS NULL
                    AND part.place <= i.indnkeyatts
                  GROUP BY i.indexrelid, i.indisprimary, i.indnkeyatts, x.relname
               ) AS unique_key)
       )::text
  FROM unnest(%s::text[]) AS requested (name)
  JOIN pg_class c ON c.oid = to_regclass(requested.name)
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm')
