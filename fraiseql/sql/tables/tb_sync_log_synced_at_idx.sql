-- For "what happened in the last 24 hours"; brin, since rows come in the order of their time.
CREATE INDEX tb_sync_log_synced_at_idx ON tb_sync_log USING brin (synced_at)
