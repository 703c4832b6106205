-- One document per post, with its author, and its comments with theirs. tv_post stores it.
-- The comments are a subquery of their own column: whoever asks for keys alone does not pay for them.
CREATE OR REPLACE VIEW v_post AS
SELECT p.id, p.identifier, p.created_at, u.id AS author_id,
       jsonb_build_object(
           'id', p.id,
           'identifier', p.identifier,
           'title', p.title,
           'content', p.content,
           'tags', p.tags,
           'status', p.status,
           'author', u.data,
           'comments', COALESCE((
               SELECT jsonb_agg(c.data ORDER BY c.created_at, c.pk_comment)
                 FROM v_comment c
                WHERE c.fk_post = p.pk_post
           ), '[]'),
           'created_at', p.created_at
       ) AS data
  FROM tb_post p
       JOIN v_user u ON u.pk_user = p.fk_user
