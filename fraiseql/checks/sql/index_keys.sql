-- The first key of every index, as an expression: what finds rows by it.
-- in   names text[], tables and materialized views as SQL writes them
-- out  view text, expression text; one row an index
SELECT requested.name AS view, pg_get_indexdef(i.indexrelid, 1, true) AS expression
  FROM unnest(%s::text[]) AS requested (name)
  JOIN pg_index i ON i.indrelid = to_regclass(requested.name)
 WHERE i.indisvalid
