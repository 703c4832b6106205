-- Operations that clients name by a hash: 'apq' those that they stored themselves, 'registered' those
-- that fraiseql_turbo stored. tenant: '' for all; client: who stored it. The counts are of what was
-- asked for by hash, or is registered.
CREATE TABLE tb_persisted_operation (
    tenant       text NOT NULL DEFAULT '',
    hash         text NOT NULL CHECK (hash = encode(sha256(convert_to(text, 'UTF8')), 'hex')),
    kind         text NOT NULL CHECK (kind IN ('apq', 'registered')),
    name         text,
    client       text NOT NULL DEFAULT '',
    text         text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz NOT NULL DEFAULT now(),
    uses         bigint NOT NULL DEFAULT 0,
    errors       bigint NOT NULL DEFAULT 0,
    total_ms     double precision NOT NULL DEFAULT 0,
    max_ms       double precision NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, hash)
)
