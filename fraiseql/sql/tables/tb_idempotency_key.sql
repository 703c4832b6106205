-- What was answered to requests that came with a key, so that a repetition has the same answer and no effect.
-- scope: who asked; fingerprint: of the request; answer: the rows of each of its statements, as text.
CREATE TABLE tb_idempotency_key (
    scope       text NOT NULL,
    key         text NOT NULL,
    fingerprint text NOT NULL,
    answer      jsonb NOT NULL DEFAULT '[]',
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL,
    PRIMARY KEY (scope, key)
)
