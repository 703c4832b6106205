-- Delete a post with its comments, and return its id; null if there was none.
CREATE FUNCTION fn_delete_post(p_id uuid) RETURNS uuid LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM tb_post WHERE id = p_id;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    PERFORM fn_sync_tv_post(p_id);
    RETURN p_id;
END $$
