-- v_comment, stored: what queries read. Written by fn_sync_tv_comment and "manage.py fraiseql_sync".
CREATE TABLE tv_comment (
    id         uuid PRIMARY KEY,
    identifier text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL,
    data       jsonb NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
)
