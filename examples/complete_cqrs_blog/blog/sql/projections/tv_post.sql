-- v_post, stored: what queries read. Written by fn_sync_tv_post and "manage.py fraiseql_sync".
CREATE TABLE tv_post (
    id         uuid PRIMARY KEY,
    identifier text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL,
    author_id  uuid NOT NULL,
    data       jsonb NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
)
