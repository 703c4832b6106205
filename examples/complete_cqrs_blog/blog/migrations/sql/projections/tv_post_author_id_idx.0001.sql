-- A user's posts, in their order: what User.posts is read by.
CREATE INDEX tv_post_author_id_idx ON tv_post (author_id, created_at, id)
