-- Take a key for the transaction's mutations. Raises FQ001 if it is taken, after whoever has it has committed.
-- in   scope, key, fingerprint: as in tb_idempotency_key; keep: how long it stays taken
CREATE FUNCTION fraiseql_claim_v1(p_scope text, p_key text, p_fingerprint text, p_keep interval)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    -- A few of the old ones each time, so that no job is needed.
    DELETE FROM tb_idempotency_key
     WHERE (scope, key) IN (
         SELECT scope, key FROM tb_idempotency_key
          WHERE expires_at < now()
          ORDER BY expires_at
          LIMIT 20
            FOR UPDATE SKIP LOCKED);
    INSERT INTO tb_idempotency_key (scope, key, fingerprint, expires_at)
    VALUES (p_scope, p_key, p_fingerprint, now() + p_keep)
        ON CONFLICT (scope, key) DO UPDATE
       SET fingerprint = EXCLUDED.fingerprint, answer = '[]', created_at = now(),
           expires_at = EXCLUDED.expires_at
     WHERE tb_idempotency_key.expires_at < now();
    IF NOT FOUND THEN
        RAISE EXCEPTION 'The key is taken.' USING ERRCODE = 'FQ001';
    END IF;
END $$
