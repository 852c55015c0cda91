#!/bin/bash
# Runs once, on an empty data directory: one role and one database for each room, one for audit
# checkpoints and one for Keycloak. A role can connect to its own database and to no other, so a
# room that asks another room's tables fails here and not in a review.
set -euo pipefail

create() {
  local name="$1" password="$2"
  # The password goes in as a psql variable: it is quoted by psql and never seen in a process list.
  NEW_PASSWORD="$password" psql -v ON_ERROR_STOP=1 --no-psqlrc --quiet \
    --username "$POSTGRES_USER" --dbname postgres --set name="$name" <<'SQL'
\getenv password NEW_PASSWORD
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name" ENCODING 'UTF8' TEMPLATE template0;
REVOKE CONNECT, TEMPORARY ON DATABASE :"name" FROM PUBLIC;
SQL
}

create reservation "$RESERVATION_DB_PASSWORD"
create preparation "$PREPARATION_DB_PASSWORD"
create issuance "$ISSUANCE_DB_PASSWORD"
create reporting "$REPORTING_DB_PASSWORD"
create audit "$AUDIT_DB_PASSWORD"
create keycloak "$KEYCLOAK_DB_PASSWORD"

psql -v ON_ERROR_STOP=1 --no-psqlrc --quiet --username "$POSTGRES_USER" --dbname postgres <<'SQL'
REVOKE CONNECT ON DATABASE postgres FROM PUBLIC;
SQL
