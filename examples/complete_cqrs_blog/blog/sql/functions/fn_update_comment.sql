-- Change what a comment says, and return its id.
CREATE FUNCTION fn_update_comment(p_id uuid, p_content text) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    v_post uuid;
BEGIN
    UPDATE tb_comment c SET content = p_content
      FROM tb_post p
     WHERE c.id = p_id AND p.pk_post = c.fk_post
    RETURNING p.id INTO v_post;
    IF v_post IS NULL THEN
        RAISE EXCEPTION 'There is no such comment.' USING ERRCODE = 'PT404';
    END IF;
    PERFORM fn_sync_tv_comment(ARRAY[p_id]);
    PERFORM fn_sync_tv_post(ARRAY[v_post]);
    RETURN p_id;
END $$
