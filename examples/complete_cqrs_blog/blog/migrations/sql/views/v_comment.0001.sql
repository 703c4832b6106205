-- One document per comment, its author inside; v_post embeds it, tv_comment stores it.
CREATE OR REPLACE VIEW v_comment AS
SELECT c.id, c.identifier, c.created_at,
       jsonb_build_object(
           'id', c.id,
           'identifier', c.identifier,
           'content', c.content,
           'author', u.data,
           'created_at', c.created_at
       ) AS data,
       c.pk_comment, c.fk_post
  FROM tb_comment c
       JOIN v_user u ON u.pk_user = c.fk_user
