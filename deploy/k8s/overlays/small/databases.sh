#!/bin/bash
# Run once by the image of PostgreSQL, on an empty volume: one database and one role a service, which sees no other's.
set -euo pipefail
for service in order project finance notify gateway; do
  psql --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
    --set name="$service" --set password="$(cat "/etc/passwords/$service")" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE CONNECT ON DATABASE :"name" FROM PUBLIC;
SQL
done
