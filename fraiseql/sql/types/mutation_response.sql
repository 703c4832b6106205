-- What a function returns that has more to say than what it has written.
-- status: success, created, updated, deleted, ...; or noop:, validation:, unauthorized:, forbidden:, not_found:,
-- conflict:, timeout:, failed: with a word for programs after the colon. metadata: errors, field.
CREATE TYPE mutation_response AS (
    status         text,
    message        text,
    entity_id      text,
    entity_type    text,
    entity         jsonb,
    updated_fields text[],
    cascade        jsonb,
    metadata       jsonb
)
