CREATE INDEX tb_post_fk_user_idx ON tb_post (fk_user)
