-- Where the log of a primary is; nothing on a standby.
-- out  lsn text
SELECT pg_current_wal_flush_lsn()::text AS lsn WHERE NOT pg_is_in_recovery()
