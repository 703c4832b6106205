-- The syncs of the last 24 hours, a row for each projection.
-- out  entity text, syncs bigint, failures bigint, changed numeric, mean_ms float8, longest_ms float8, latest timestamptz
SELECT entity, count(*) AS syncs, count(*) FILTER (WHERE NOT success) AS failures, sum(rows) AS changed,
       avg(duration_ms) AS mean_ms, max(duration_ms) AS longest_ms, max(synced_at) AS latest
  FROM tb_sync_log
 WHERE synced_at > now() - interval '24 hours'
 GROUP BY entity
 ORDER BY entity
