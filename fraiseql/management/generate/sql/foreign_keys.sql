-- The foreign keys of one column that lead to the given tables.
-- in   tables text[]: names as SQL writes them, twice
-- out  relation text, one of the given names or as PostgreSQL writes it; field text; target text, one of the given
--      names; target_column text: one foreign key a row
SELECT coalesce(mine.name, k.conrelid::regclass::text), a.attname::text, its.name, b.attname::text
  FROM unnest(%s::text[]) AS its (name)
       JOIN pg_constraint k ON k.confrelid = to_regclass(its.name)
                           AND k.contype = 'f' AND k.conparentid = 0 AND cardinality(k.conkey) = 1
       JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
       JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = k.confkey[1]
       LEFT JOIN unnest(%s::text[]) AS mine (name) ON to_regclass(mine.name) = k.conrelid
 ORDER BY 1, a.attnum
