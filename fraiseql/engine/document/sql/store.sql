-- Store what a client sent with its hash; the least recently used ones make room for it.
-- in   tenant, hash, text, name, client text; most_of_client, most integer
-- out  nothing
WITH given (tenant, hash, text, name, client) AS (
    VALUES (%s::text, %s::text, %s::text, %s::text, %s::text)
), stored AS (
    INSERT INTO tb_persisted_operation (tenant, hash, kind, text, name, client)
    SELECT tenant, hash, 'apq', text, name, client FROM given
        ON CONFLICT (tenant, hash) DO NOTHING
), counted AS (
    SELECT count(*) FILTER (WHERE o.client = g.client) AS of_client, count(*) AS of_all
      FROM given g JOIN tb_persisted_operation o USING (tenant)
     WHERE o.kind = 'apq' AND o.hash <> g.hash
), too_many_of_client AS (
    SELECT o.tenant, o.hash
      FROM tb_persisted_operation o JOIN given g USING (tenant, client)
     WHERE o.kind = 'apq' AND o.hash <> g.hash
     ORDER BY o.last_used_at
     LIMIT (SELECT greatest(of_client - %s::integer + 1, 0) FROM counted)
       FOR UPDATE OF o SKIP LOCKED
), too_many AS (
    SELECT o.tenant, o.hash
      FROM tb_persisted_operation o JOIN given g USING (tenant)
     WHERE o.kind = 'apq' AND o.hash <> g.hash
     ORDER BY o.last_used_at
     LIMIT (SELECT greatest(of_all - %s::integer + 1, 0) FROM counted)
       FOR UPDATE OF o SKIP LOCKED
)
DELETE FROM tb_persisted_operation
 WHERE (tenant, hash) IN (TABLE too_many_of_client UNION TABLE too_many)
