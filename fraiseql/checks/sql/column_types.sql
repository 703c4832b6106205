-- What stands behind the types of columns: of domains the base type, of enums the labels.
-- in   names text[], views as SQL writes them
-- out  view text, name text, type text without modifiers, labels text[] or null; one row a column
-- Arrays show their items' labels.
SELECT requested.name AS view, a.attname AS name, format_type(base.oid, NULL) AS type,
       (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder)
          FROM pg_enum e
         WHERE e.enumtypid IN (base.oid, base.typelem)) AS labels
  FROM unnest(%s::text[]) AS requested (name)
  JOIN pg_attribute a ON a.attrelid = to_regclass(requested.name)
  JOIN pg_type t ON t.oid = a.atttypid
  JOIN pg_type base ON base.oid = coalesce(nullif(t.typbasetype, 0), t.oid)
 WHERE a.attnum > 0 AND NOT a.attisdropped
