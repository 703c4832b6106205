-- The documents, and the projections that store them with the indexes an attentive user makes.

CREATE VIEW v_user AS
SELECT u.pk_user,
       u.id,
       u.identifier,
       jsonb_build_object(
           'id', u.id,
           'identifier', u.identifier,
           'full_name', u.full_name,
           'email', u.email,
           'bio', u.bio,
           'is_active', u.is_active,
           'created_at', u.created_at
       ) AS data
  FROM tb_user AS u;

CREATE VIEW v_post AS
SELECT p.id,
       p.identifier,
       p.title,
       p.created_at,
       jsonb_build_object(
           'id', p.id,
           'identifier', p.identifier,
           'title', p.title,
           'content', p.content,
           'tags', p.tags,
           'view_count', p.view_count,
           'created_at', p.created_at,
           'author', author.data,
           'comments', coalesce(comments.data, '[]')
       ) AS data
  FROM tb_post AS p
  JOIN v_user AS author ON author.pk_user = p.fk_user
  LEFT JOIN LATERAL (
           SELECT jsonb_agg(
                      jsonb_build_object(
                          'id', c.id,
                          'content', c.content,
                          'created_at', c.created_at,
                          'author', writer.data
                      ) ORDER BY c.created_at
                  ) AS data
             FROM tb_comment AS c
             JOIN v_user AS writer ON writer.pk_user = c.fk_user
            WHERE c.fk_post = p.pk_post
       ) AS comments ON true;

CREATE VIEW v_comment AS
SELECT c.id,
       jsonb_build_object(
           'id', c.id,
           'content', c.content,
           'created_at', c.created_at,
           'author', writer.data
       ) AS data
  FROM tb_comment AS c
  JOIN v_user AS writer ON writer.pk_user = c.fk_user;

-- For a cheap statement beside a slow one: five seconds for one row.
CREATE VIEW v_slow AS
SELECT id, jsonb_build_object('id', id) AS data
  FROM (SELECT u.id, pg_sleep(5) FROM tb_user AS u WHERE u.pk_user = 1 OFFSET 0) AS slept;

CREATE TABLE tv_user (
    id uuid PRIMARY KEY,
    identifier text NOT NULL UNIQUE,
    data jsonb NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE tv_post (
    id uuid PRIMARY KEY,
    identifier text NOT NULL UNIQUE,
    title text NOT NULL,
    created_at timestamptz NOT NULL,
    data jsonb NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);

INSERT INTO tv_user (id, identifier, data)
SELECT id, identifier, data FROM v_user ORDER BY pk_user;

INSERT INTO tv_post (id, identifier, title, created_at, data)
SELECT id, identifier, title, created_at, data FROM v_post ORDER BY created_at;

-- With id: a page's order is total, and one index serves it in both directions.
CREATE INDEX tv_post_created_at_idx ON tv_post (created_at, id);
-- text_pattern_ops: the index serves LIKE 'prefix%' under any collation.
CREATE INDEX tv_post_title_idx ON tv_post (title text_pattern_ops);
