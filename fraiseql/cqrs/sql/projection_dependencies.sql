-- Which projections a source view reads, itself or through the views it is made of.
-- in   sources text[], projections text[]: names as SQL writes them
-- out  source text, projection text: one pair a row
-- Only what the catalog knows: a projection read inside a PL/pgSQL function stays unseen.
WITH RECURSIVE reads (source, relation) AS (
    SELECT given.name, to_regclass(given.name)::oid
      FROM unnest(%s::text[]) AS given (name)
     UNION
    SELECT reads.source, d.refobjid
      FROM reads
      JOIN pg_rewrite r ON r.ev_class = reads.relation
      JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                      AND d.refclassid = 'pg_class'::regclass
)
SELECT reads.source, given.name
  FROM reads
  JOIN unnest(%s::text[]) AS given (name) ON to_regclass(given.name) = reads.relation
