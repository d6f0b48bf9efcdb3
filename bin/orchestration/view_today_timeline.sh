#!/usr/bin/env bash
# The day in order: decisions, executions, calls. Exit 0, or 3 when unknown.
# Usage: view_today_timeline.sh [--date YYYY-MM-DD] [--as-of TIME] [--json]
here="$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")"
exec "$here/_orchestration.sh" timeline "$@"
