#!/usr/bin/env bash
# Shows what a change of workflows.yaml changes in a season. --help says more.
here="$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")"
ORCHESTRATION_SCRIPT="${0##*/}" exec "$here/_orchestration.sh" diff "$@"
