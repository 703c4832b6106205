-- Bring one row of tv_post in step with v_post: it is written, rewritten or deleted. Returns how many rows it wrote.
CREATE FUNCTION fn_sync_tv_post(id uuid) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_count bigint;
BEGIN
    -- Whoever writes the same post waits here, and then sees what was written before.
    PERFORM FROM tv_post t WHERE t.id = fn_sync_tv_post.id FOR UPDATE;
    DELETE FROM tv_post t
     WHERE t.id = fn_sync_tv_post.id AND NOT EXISTS (SELECT FROM v_post v WHERE v.id = t.id);
    INSERT INTO tv_post (id, identifier, created_at, author_id, data)
    SELECT v.id, v.identifier, v.created_at, v.author_id, v.data
      FROM v_post v WHERE v.id = fn_sync_tv_post.id
        ON CONFLICT ON CONSTRAINT tv_post_pkey DO UPDATE
       SET identifier = EXCLUDED.identifier, author_id = EXCLUDED.author_id, data = EXCLUDED.data, updated_at = now();
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END $$
