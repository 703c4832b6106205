-- v_product, stored: what queries read. Filled by "manage.py fraiseql_sync".
CREATE TABLE tv_product (
    id         uuid PRIMARY KEY,
    identifier text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL,
    data       jsonb NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
)
