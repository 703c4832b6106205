-- Which relations views read, themselves or through the views they are made of.
-- in   views text[]: names as SQL writes them
-- out  view text, relation oid: one pair a row; a view reads itself
-- Only what the catalog knows: what is read inside a PL/pgSQL function stays unseen.
WITH RECURSIVE reads (view, relation) AS (
    SELECT given.name, to_regclass(given.name)::oid
      FROM unnest(%s::text[]) AS given (name)
     UNION
    SELECT reads.view, d.refobjid
      FROM reads
      JOIN pg_rewrite r ON r.ev_class = reads.relation
      JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                      AND d.refclassid = 'pg_class'::regclass
)
SELECT view, relation
  FROM reads
 WHERE relation IS NOT NULL
