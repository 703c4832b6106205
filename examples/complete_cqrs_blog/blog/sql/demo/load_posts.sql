-- Posts of the demonstration; those already there stay as they are.
-- in   posts jsonb: [{id, identifier, author, title, content, tags, status, created_at}]
INSERT INTO tb_post (fk_user, id, identifier, title, content, tags, status, created_at)
SELECT u.pk_user, p.id, p.identifier, p.title, p.content, p.tags, p.status, p.created_at
  FROM jsonb_to_recordset(%s::jsonb)
           AS p (id uuid, identifier text, author text, title text, content text, tags text[],
                 status text, created_at timestamptz)
       JOIN tb_user u ON u.identifier = p.author
 ORDER BY p.created_at
    ON CONFLICT DO NOTHING
