#!/usr/bin/env bash
# Shows what would run on a date, and why, tick by tick. --help says more.
here="$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")"
ORCHESTRATION_SCRIPT="${0##*/}" exec "$here/_orchestration.sh" plan "$@"
