-- Comment on a post, and return the comment's id. The post's document holds its comments, so it is synced too.
CREATE FUNCTION fn_create_comment(p_post_id uuid, p_author_id uuid, p_content text)
RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    v_id uuid;
BEGIN
    INSERT INTO tb_comment (fk_post, fk_user, content)
    SELECT p.pk_post, u.pk_user, p_content
      FROM tb_post p, tb_user u
     WHERE p.id = p_post_id AND u.id = p_author_id
    RETURNING id INTO v_id;
    IF v_id IS NULL THEN
        RAISE EXCEPTION 'There is no such post or author.' USING ERRCODE = 'PT404';
    END IF;
    PERFORM fn_sync_tv_comment(ARRAY[v_id]);
    PERFORM fn_sync_tv_post(ARRAY[p_post_id]);
    RETURN v_id;
END $$
