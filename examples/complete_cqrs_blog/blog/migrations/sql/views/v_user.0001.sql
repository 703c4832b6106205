-- One document per user; v_comment and v_post embed it as "author", tv_user stores it.
CREATE OR REPLACE VIEW v_user AS
SELECT u.id, u.identifier, u.created_at,
       jsonb_build_object(
           'id', u.id,
           'identifier', u.identifier,
           'name', u.name,
           'email', u.email,
           'bio', u.bio,
           'created_at', u.created_at
       ) AS data,
       u.pk_user
  FROM tb_user u
