-- Welcome a user, and return the id. Taken identifiers and addresses the constraints refuse, at their input field.
CREATE FUNCTION fn_create_user(p_identifier text, p_name text, p_email text, p_bio text DEFAULT NULL)
RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    v_id uuid;
BEGIN
    INSERT INTO tb_user (identifier, name, email, bio)
    VALUES (p_identifier, p_name, p_email, p_bio)
    RETURNING id INTO v_id;
    PERFORM fn_sync_tv_user(ARRAY[v_id]);
    RETURN v_id;
END $$
