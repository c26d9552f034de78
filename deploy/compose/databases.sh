#!/bin/sh
# Run once, when the server's folder is empty: one database and one role per service, each its owner's alone.
set -eu
for service in order project finance notify gateway; do
  password=$(cat "/run/secrets/$service-database-password")
  psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres --quiet <<SQL
CREATE ROLE "$service" LOGIN PASSWORD '$password';
CREATE DATABASE "$service" OWNER "$service";
REVOKE ALL ON DATABASE "$service" FROM PUBLIC;
SQL
done
