-- Writing a comment: what is behind Q6.

-- Insert it, bring the post's projection in step, return the comment's id.
CREATE FUNCTION fn_create_comment(p_post_id uuid, p_author_id uuid, p_content text) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    v_id uuid;
BEGIN
    INSERT INTO tb_comment (fk_post, fk_user, content)
    SELECT p.pk_post, u.pk_user, p_content
      FROM tb_post AS p, tb_user AS u
     WHERE p.id = p_post_id AND u.id = p_author_id
    RETURNING id INTO v_id;
    IF v_id IS NULL THEN
        RAISE EXCEPTION 'There is no such post or author.' USING ERRCODE = 'PT404';
    END IF;
    -- Whoever writes the same post waits here, and then sees what was written before.
    PERFORM FROM tv_post AS t WHERE t.id = p_post_id FOR UPDATE;
    UPDATE tv_post AS t
       SET data = v.data, updated_at = now()
      FROM v_post AS v
     WHERE t.id = p_post_id AND v.id = p_post_id;
    RETURN v_id;
END $$;

-- The same, returning the document: one statement for who writes by hand, and for FraiseQL 1.
CREATE FUNCTION fn_create_comment_document(p_post_id uuid, p_author_id uuid, p_content text) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    v_id uuid := fn_create_comment(p_post_id, p_author_id, p_content);
BEGIN
    RETURN (SELECT data FROM v_comment WHERE id = v_id);
END $$;

-- The insertion alone, for systems that read the tables: they have no projection to keep.
CREATE FUNCTION insert_comment(post_id uuid, author_id uuid, content text) RETURNS tb_comment
LANGUAGE sql AS $$
    INSERT INTO tb_comment (fk_post, fk_user, content)
    SELECT p.pk_post, u.pk_user, insert_comment.content
      FROM tb_post AS p, tb_user AS u
     WHERE p.id = post_id AND u.id = author_id
    RETURNING *
$$;
