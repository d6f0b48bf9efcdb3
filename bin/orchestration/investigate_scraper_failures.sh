#!/usr/bin/env bash
# Which scrapers fail, and with what. Exit 0 none, 1 some, 3 unknown.
# Usage: investigate_scraper_failures.sh [--date YYYY-MM-DD] [--days N] [--as-of TIME] [--json]
here="$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")"
exec "$here/_orchestration.sh" failures "$@"
