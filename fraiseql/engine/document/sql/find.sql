-- The operation that a client names by its hash or by the id of a manifest; the hash goes first.
-- in   hash, tenant text, with_automatic boolean: whether those that clients stored count; id text
-- out  tenant text, hash text, is_registered boolean, text text, is_id boolean; at most one row
SELECT o.tenant, o.hash, o.kind = 'registered' AS is_registered, o.text, false AS is_id
  FROM tb_persisted_operation o
 WHERE o.hash = %s::text
   AND (o.tenant = '' AND o.kind = 'registered' OR o.tenant = %s::text AND %s::boolean)
 UNION ALL
SELECT o.tenant, o.hash, true, o.text, true
  FROM tb_persisted_operation_id i
       JOIN tb_persisted_operation o USING (tenant, hash)
 WHERE i.tenant = '' AND i.id = %s::text
 ORDER BY is_id, is_registered DESC
 LIMIT 1
