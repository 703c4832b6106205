-- Write a post and return its id. What the constraints refuse, the client hears at the input field.
CREATE FUNCTION fn_create_post(
    p_author_id  uuid,
    p_identifier text,
    p_title      text,
    p_content    text,
    p_tags       text[] DEFAULT '{}',
    p_status     text DEFAULT 'draft'
) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    v_author int;
    v_id     uuid;
BEGIN
    SELECT pk_user INTO v_author FROM tb_user WHERE id = p_author_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no such author.' USING ERRCODE = 'PT404';
    END IF;
    INSERT INTO tb_post (fk_user, identifier, title, content, tags, status)
    VALUES (v_author, p_identifier, p_title, p_content, p_tags, p_status)
    RETURNING id INTO v_id;
    PERFORM fn_sync_tv_post(ARRAY[v_id]);
    RETURN v_id;
END $$
