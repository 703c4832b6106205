-- Add what a process counted since it last did.
-- in   counts jsonb: [{tenant, hash, uses, errors, total_ms, max_ms}, ...]
-- out  nothing
WITH counted AS (
    SELECT * FROM jsonb_to_recordset(%s::jsonb)
           AS c (tenant text, hash text, uses bigint, errors bigint,
                 total_ms double precision, max_ms double precision)
), locked AS (
    -- In one order, so that processes that do this at once wait for each other only.
    SELECT o.tenant, o.hash
      FROM tb_persisted_operation o JOIN counted USING (tenant, hash)
     ORDER BY o.tenant, o.hash
       FOR UPDATE OF o
)
UPDATE tb_persisted_operation o
   SET (uses, errors, total_ms, max_ms, last_used_at)
     = (o.uses + c.uses, o.errors + c.errors, o.total_ms + c.total_ms,
        greatest(o.max_ms, c.max_ms), now())
  FROM counted c JOIN locked USING (tenant, hash)
 WHERE o.tenant = c.tenant AND o.hash = c.hash
