-- Delete a user who wrote nothing, and return the id; null if there was none.
CREATE FUNCTION fn_delete_user(p_id uuid) RETURNS uuid LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM tb_user WHERE id = p_id;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    PERFORM fn_sync_tv_user(ARRAY[p_id]);
    RETURN p_id;
EXCEPTION
    WHEN foreign_key_violation THEN
        RAISE EXCEPTION 'This user has posts or comments, which would lose their author.' USING ERRCODE = 'PT409';
END $$
