-- Delete a comment, and return its id; null if there was none.
CREATE FUNCTION fn_delete_comment(p_id uuid) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    v_post uuid;
BEGIN
    DELETE FROM tb_comment c USING tb_post p
     WHERE c.id = p_id AND p.pk_post = c.fk_post
    RETURNING p.id INTO v_post;
    IF v_post IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM fn_sync_tv_comment(ARRAY[p_id]);
    PERFORM fn_sync_tv_post(ARRAY[v_post]);
    RETURN p_id;
END $$
