-- The keys that may go.
CREATE INDEX tb_idempotency_key_expires_at_idx ON tb_idempotency_key (expires_at)
