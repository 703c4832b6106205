-- How a sync ended that log_sync.sql began.
-- in  inserted bigint, updated bigint, deleted bigint, duration_ms float8, error text, pk_sync_log bigint
UPDATE tb_sync_log
   SET inserted = %s, updated = %s, deleted = %s, duration_ms = %s, error = %s, synced_at = clock_timestamp()
 WHERE pk_sync_log = %s
