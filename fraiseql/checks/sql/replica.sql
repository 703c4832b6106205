-- How far a standby is.
-- in   primary_lsn pg_lsn, where its primary is, null if unknown
-- out  is_standby boolean, lsn text, bytes_behind bigint, seconds float8 since the last transaction it has replayed,
--      is_paused boolean
SELECT pg_is_in_recovery() AS is_standby,
       pg_last_wal_replay_lsn()::text AS lsn,
       pg_wal_lsn_diff(%s::pg_lsn, pg_last_wal_replay_lsn())::bigint AS bytes_behind,
       extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8 AS seconds,
       CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() END AS is_paused
