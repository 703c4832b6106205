-- Articles, drafts included.
CREATE TABLE tb_post (
    pk_post    int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fk_user    int NOT NULL REFERENCES tb_user,
    id         uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    identifier text NOT NULL UNIQUE CHECK (identifier ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    title      text NOT NULL CHECK (title <> ''),
    content    text NOT NULL,
    tags       text[] NOT NULL DEFAULT '{}',
    status     text NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'published', 'archived')),
    created_at timestamptz NOT NULL DEFAULT now()
)
