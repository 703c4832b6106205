CREATE INDEX tb_comment_fk_user_idx ON tb_comment (fk_user)
