-- Change what the input has of a user, and return the id. Three projections hold users: each is synced here.
CREATE FUNCTION fn_update_user(input jsonb) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    v_id   uuid := input->>'id';
    v_user int;
BEGIN
    -- FOR UPDATE keeps others from writing a new post or comment of this user, with the old name, meanwhile.
    SELECT pk_user INTO v_user FROM tb_user WHERE id = v_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no such user.' USING ERRCODE = 'PT404';
    END IF;
    UPDATE tb_user
       SET name  = COALESCE(input->>'name', name),
           email = COALESCE(input->>'email', email),
           -- A key that was not sent leaves the text alone; null empties it.
           bio   = CASE WHEN input ? 'bio' THEN input->>'bio' ELSE bio END
     WHERE pk_user = v_user;
    PERFORM fn_sync_tv_user(ARRAY[v_id]);
    PERFORM fn_sync_tv_comment(ARRAY(SELECT id FROM tb_comment WHERE fk_user = v_user));
    PERFORM fn_sync_tv_post(ARRAY(
        SELECT p.id FROM tb_post p
         WHERE p.fk_user = v_user
            OR EXISTS (SELECT FROM tb_comment c WHERE c.fk_post = p.pk_post AND c.fk_user = v_user)
    ));
    RETURN v_id;
END $$
