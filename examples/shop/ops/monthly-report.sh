#!/bin/sh
set -eu
psql "$DATABASE_URL" --csv --file reports/monthly_customers.sql > customers.csv
