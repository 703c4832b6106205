-- v_user, stored: what queries read. Written by fn_sync_tv_user and "manage.py fraiseql_sync".
CREATE TABLE tv_user (
    id         uuid PRIMARY KEY,
    identifier text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL,
    data       jsonb NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
)
