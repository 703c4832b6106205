-- in  entity text, mode text, inserted bigint, updated bigint, deleted bigint, duration_ms float8, error text
-- out pk_sync_log bigint
INSERT INTO tb_sync_log (entity, mode, inserted, updated, deleted, duration_ms, error)
VALUES (%s, %s, %s, %s, %s, %s, %s)
RETURNING pk_sync_log
