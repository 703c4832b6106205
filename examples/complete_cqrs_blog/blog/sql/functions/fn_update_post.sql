-- Change what the input has of a post, and return its id.
CREATE FUNCTION fn_update_post(input jsonb) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    v_id uuid := input->>'id';
BEGIN
    UPDATE tb_post
       SET title   = COALESCE(input->>'title', title),
           content = COALESCE(input->>'content', content),
           status  = COALESCE(input->>'status', status),
           -- A key that was not sent leaves the tags alone; null empties them.
           tags    = CASE WHEN input ? 'tags'
                          THEN ARRAY(SELECT jsonb_array_elements_text(COALESCE(NULLIF(input->'tags', 'null'), '[]')))
                          ELSE tags END
     WHERE id = v_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no such post.' USING ERRCODE = 'PT404';
    END IF;
    PERFORM fn_sync_tv_post(ARRAY[v_id]);
    RETURN v_id;
END $$
