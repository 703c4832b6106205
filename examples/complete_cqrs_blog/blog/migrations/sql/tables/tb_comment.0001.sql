-- What readers say below a post.
CREATE TABLE tb_comment (
    pk_comment int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fk_post    int NOT NULL REFERENCES tb_post ON DELETE CASCADE,
    fk_user    int NOT NULL REFERENCES tb_user,
    id         uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    identifier text NOT NULL UNIQUE DEFAULT 'comment-' || gen_random_uuid(),
    content    text NOT NULL CHECK (content <> ''),
    created_at timestamptz NOT NULL DEFAULT now()
)
