CREATE INDEX tb_comment_fk_post_idx ON tb_comment (fk_post, created_at)
