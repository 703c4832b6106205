-- The registered operations, if they are not those already known.
-- in   fingerprint text: what came with those known, '' before the first time
-- out  fingerprint text, hash text, ids jsonb, text text; one row an operation, with nulls if there is none
WITH registered AS (
    SELECT o.hash, o.text,
           coalesce(jsonb_agg(i.id ORDER BY i.id) FILTER (WHERE i.id IS NOT NULL), '[]') AS ids
      FROM tb_persisted_operation o
           LEFT JOIN tb_persisted_operation_id i USING (tenant, hash)
     WHERE o.tenant = '' AND o.kind = 'registered'
     GROUP BY o.tenant, o.hash
), state AS (
    SELECT md5(coalesce(string_agg(hash || ids::text, ' ' ORDER BY hash), '')) AS fingerprint
      FROM registered
)
SELECT s.fingerprint, r.hash, r.ids, r.text
  FROM state s
       LEFT JOIN registered r ON s.fingerprint <> %s::text
