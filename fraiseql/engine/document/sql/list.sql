-- What is stored, and what was counted of it.
-- in   with_automatic boolean: also what clients stored
-- out  operation jsonb; one row an operation, by name
SELECT to_jsonb(o) || jsonb_build_object(
           'ids',
           (SELECT coalesce(jsonb_agg(i.id ORDER BY i.id), '[]')
              FROM tb_persisted_operation_id i
             WHERE i.tenant = o.tenant AND i.hash = o.hash)
       ) AS operation
  FROM tb_persisted_operation o
 WHERE o.kind = 'registered' OR %s::boolean
 ORDER BY o.kind DESC, o.name, o.created_at, o.hash
