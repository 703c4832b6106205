-- Comments of the demonstration; those already there stay as they are.
-- in   comments jsonb: [{id, identifier, post, author, content, created_at}]
INSERT INTO tb_comment (fk_post, fk_user, id, identifier, content, created_at)
SELECT p.pk_post, u.pk_user, c.id, c.identifier, c.content, c.created_at
  FROM jsonb_to_recordset(%s::jsonb)
           AS c (id uuid, identifier text, post text, author text, content text,
                 created_at timestamptz)
       JOIN tb_post p ON p.identifier = c.post
       JOIN tb_user u ON u.identifier = c.author
 ORDER BY c.created_at
    ON CONFLICT DO NOTHING
