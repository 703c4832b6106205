-- Grafana reads the log of syncs and nothing else, where docker/postgres/grafana.sh made a role for it.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'grafana') THEN
        GRANT SELECT ON tb_sync_log TO grafana;
    END IF;
END $$
