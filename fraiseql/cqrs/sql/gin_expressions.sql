-- Which keys of which jsonb columns have a GIN index of their own: gin ((data -> 'author') ...).
-- in   tables text[]: names as SQL writes them
-- out  table, column, key text: one expression of an index a row
SELECT given.name, a.attname::text, found[2]
  FROM unnest(%s::text[]) AS given (name)
       JOIN pg_index i ON i.indrelid = to_regclass(given.name) AND i.indisvalid
       JOIN pg_class c ON c.oid = i.indexrelid
       JOIN pg_am am ON am.oid = c.relam AND am.amname = 'gin'
       CROSS JOIN LATERAL (
           SELECT regexp_match(pg_get_expr(i.indexprs, i.indrelid), '^\((.+) -> ''(.*)''::text\)$') AS found
       ) AS matched
       JOIN pg_attribute a ON a.attrelid = i.indrelid AND quote_ident(a.attname) = found[1]
