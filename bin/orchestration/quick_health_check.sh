#!/usr/bin/env bash
# Is everything in? One screen. Exit 0 healthy or no games, 1 degraded, 2 unhealthy, 3 unknown.
# Usage: quick_health_check.sh [--date YYYY-MM-DD] [--as-of TIME] [--json]
here="$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")"
exec "$here/_orchestration.sh" health "$@"
