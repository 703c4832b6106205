-- Publish a draft, and return its id. What is published or archived already is a conflict.
CREATE FUNCTION fn_publish_post(p_id uuid) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    v_status text;
BEGIN
    SELECT status INTO v_status FROM tb_post WHERE id = p_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no such post.' USING ERRCODE = 'PT404';
    ELSIF v_status <> 'draft' THEN
        RAISE EXCEPTION 'This post is no draft: it is %.', v_status USING ERRCODE = 'PT409';
    END IF;
    UPDATE tb_post SET status = 'published' WHERE id = p_id;
    PERFORM fn_sync_tv_post(ARRAY[p_id]);
    RETURN p_id;
END $$
