-- Bring the rows of tv_user with these ids in step with v_user, and note it in tb_sync_log.
-- in   ids uuid[]
-- out  how many rows were inserted, updated or deleted
CREATE FUNCTION fn_sync_tv_user(ids uuid[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_started  timestamptz := clock_timestamp();
    v_inserted bigint;
    v_updated  bigint;
    v_deleted  bigint;
BEGIN
    -- Whoever writes the same rows waits here, and then sees what was written before.
    PERFORM FROM tv_user t WHERE t.id = ANY (ids) ORDER BY t.id FOR UPDATE;

    DELETE FROM tv_user t
     WHERE t.id = ANY (ids) AND NOT EXISTS (SELECT FROM v_user v WHERE v.id = t.id);
    GET DIAGNOSTICS v_deleted = ROW_COUNT;

    WITH written AS (
        INSERT INTO tv_user AS t (id, identifier, created_at, data)
        SELECT id, identifier, created_at, data FROM v_user WHERE id = ANY (ids)
            ON CONFLICT (id) DO UPDATE
           SET identifier = EXCLUDED.identifier,
               data = EXCLUDED.data,
               updated_at = DEFAULT
         -- A row that is right already is left alone, and its indexes with it.
         WHERE (t.identifier, t.data) IS DISTINCT FROM (EXCLUDED.identifier, EXCLUDED.data)
        -- xmax is 0 for a row that was not there before.
        RETURNING t.xmax = 0 AS is_new
    )
    SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new)
      INTO v_inserted, v_updated
      FROM written;

    INSERT INTO tb_sync_log (entity, mode, inserted, updated, deleted, duration_ms)
    VALUES ('tv_user', 'incremental', v_inserted, v_updated, v_deleted,
            extract(epoch FROM clock_timestamp() - v_started) * 1000);
    RETURN v_inserted + v_updated + v_deleted;
END $$
