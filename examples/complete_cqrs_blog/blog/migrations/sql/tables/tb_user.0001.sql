-- Who writes posts and comments. Joins use pk_user; the world sees id and identifier.
CREATE TABLE tb_user (
    pk_user    int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id         uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    identifier text NOT NULL UNIQUE CHECK (identifier ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    name       text NOT NULL CHECK (name <> ''),
    email      text NOT NULL UNIQUE CHECK (email LIKE '%_@_%'),
    bio        text,
    created_at timestamptz NOT NULL DEFAULT now()
)
