#!/bin/sh
# Run once by the image, on an empty data directory: a role for Grafana. What it may read, sql/grants/ says.
set -eu
psql --set=ON_ERROR_STOP=1 --set=password="$GRAFANA_DB_PASSWORD" \
     --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE grafana LOGIN PASSWORD :'password';
SQL
