#!/usr/bin/env bash
# The whole system part by part, each with the next command. Exit 0 well, 1 degraded, 2 unhealthy, 3 unknown.
# Usage: check_system_status.sh [--date YYYY-MM-DD] [--as-of TIME] [--json]
here="$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")"
exec "$here/_orchestration.sh" status "$@"
