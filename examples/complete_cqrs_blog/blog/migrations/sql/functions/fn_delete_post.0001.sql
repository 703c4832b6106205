-- Delete a post with its comments, and return its id; null if there was none.
CREATE FUNCTION fn_delete_post(p_id uuid) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    v_post     int;
    v_comments uuid[];
BEGIN
    -- FOR UPDATE keeps others from commenting meanwhile.
    SELECT pk_post INTO v_post FROM tb_post WHERE id = p_id FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    v_comments := ARRAY(SELECT id FROM tb_comment WHERE fk_post = v_post);
    DELETE FROM tb_post WHERE pk_post = v_post;
    PERFORM fn_sync_tv_comment(v_comments);
    PERFORM fn_sync_tv_post(ARRAY[p_id]);
    RETURN p_id;
END $$
