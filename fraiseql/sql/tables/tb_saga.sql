-- Sagas by id, each as far as it has come. results: what each step that was done returned, by the step's name.
CREATE TABLE tb_saga (
    pk_saga    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id         uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    name       text NOT NULL,
    key        text,
    steps      text[] NOT NULL,
    input      jsonb NOT NULL,
    results    jsonb NOT NULL DEFAULT '{}',
    done       int NOT NULL DEFAULT 0,
    status     text NOT NULL DEFAULT 'running'
               CHECK (status IN ('running', 'completed', 'compensating', 'compensated')),
    error      text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (name, key)
)
