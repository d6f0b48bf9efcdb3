#!/usr/bin/env bash
# Shows expected runs that are late or did not happen. --help says more.
here="$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")"
ORCHESTRATION_SCRIPT="${0##*/}" exec "$here/_orchestration.sh" missing "$@"
