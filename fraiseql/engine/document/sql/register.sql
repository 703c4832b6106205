-- Register operations and what else they are called.
-- in   operations jsonb: [{hash, text, name, client, ids: [id, ...]}, ...]
-- out  nothing; fails as a whole if an id is another operation's
WITH given AS (
    SELECT * FROM jsonb_to_recordset(%s::jsonb)
           AS g (hash text, text text, name text, client text, ids jsonb)
), stored AS (
    INSERT INTO tb_persisted_operation AS o (tenant, hash, kind, text, name, client)
    SELECT '', g.hash, 'registered', g.text, g.name, g.client FROM given g ORDER BY g.hash
        ON CONFLICT (tenant, hash) DO UPDATE
       SET (kind, name, client) = (excluded.kind, excluded.name, excluded.client)
     WHERE o.kind <> 'registered'
)
INSERT INTO tb_persisted_operation_id (tenant, id, hash)
SELECT '', i.id, g.hash
  FROM given g CROSS JOIN jsonb_array_elements_text(g.ids) AS i (id)
 WHERE NOT EXISTS (
           SELECT FROM tb_persisted_operation_id known
            WHERE known.tenant = '' AND known.id = i.id AND known.hash = g.hash
       )
 ORDER BY i.id
