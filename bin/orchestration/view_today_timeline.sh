#!/usr/bin/env bash
# Shows the day's decisions, executions and calls in order. --help says more.
here="$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")"
ORCHESTRATION_SCRIPT="${0##*/}" exec "$here/_orchestration.sh" timeline "$@"
