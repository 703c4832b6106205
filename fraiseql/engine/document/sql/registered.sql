-- The registered operations, if they are not those already known.
-- in   fingerprint text: what came with those known, '' before the first time
-- out  fingerprint text, hash text, ids jsonb, text text; one row has the fingerprint alone
WITH called AS (
    SELECT o.hash, coalesce(jsonb_agg(i.id ORDER BY i.id) FILTER (WHERE i.id IS NOT NULL), '[]') AS ids
      FROM tb_persisted_operation o
           LEFT JOIN tb_persisted_operation_id i USING (tenant, hash)
     WHERE o.tenant = '' AND o.kind = 'registered'
     GROUP BY o.hash
), state AS (
    SELECT md5(coalesce(string_agg(hash || ids::text, ' ' ORDER BY hash), '')) AS fingerprint
      FROM called
)
SELECT fingerprint, NULL AS hash, NULL::jsonb AS ids, NULL AS text FROM state
 UNION ALL
SELECT NULL, c.hash, c.ids, o.text
  FROM called c JOIN tb_persisted_operation o ON o.tenant = '' AND o.hash = c.hash
 WHERE (SELECT fingerprint FROM state) <> %s::text
