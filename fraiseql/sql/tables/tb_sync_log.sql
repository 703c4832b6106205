-- What was synced, by fraiseql_sync, in Python and by fn_sync_ functions; durations in milliseconds.
CREATE TABLE tb_sync_log (
    pk_sync_log bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity      text NOT NULL,
    mode        text NOT NULL CHECK (mode IN ('full', 'incremental')),
    inserted    bigint NOT NULL,
    updated     bigint NOT NULL,
    deleted     bigint NOT NULL,
    rows        bigint GENERATED ALWAYS AS (inserted + updated + deleted) STORED,
    duration_ms double precision NOT NULL,
    error       text,
    success     boolean GENERATED ALWAYS AS (error IS NULL) STORED,
    synced_at   timestamptz NOT NULL DEFAULT clock_timestamp()
)
