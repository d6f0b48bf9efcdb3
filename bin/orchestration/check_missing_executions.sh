#!/usr/bin/env bash
# What was expected and did not happen. Exit 0 nothing, 1 something, 3 unknown.
# Usage: check_missing_executions.sh [--date YYYY-MM-DD] [--as-of TIME] [--json]
here="$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")"
exec "$here/_orchestration.sh" missing "$@"
