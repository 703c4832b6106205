-- The tables whose triggers sync projections.
-- in   function text: a pattern of the names of these triggers' functions, for LIKE
-- out  table text: one a row
SELECT DISTINCT t.tgrelid::regclass::text
  FROM pg_trigger t
       JOIN pg_proc p ON p.oid = t.tgfoid
 WHERE p.proname LIKE %s AND NOT t.tgisinternal
 ORDER BY 1
