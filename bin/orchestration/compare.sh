#!/usr/bin/env bash
# Shows where another system and this one differ, and why. --help says more.
here="$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")"
ORCHESTRATION_SCRIPT="${0##*/}" exec "$here/_orchestration.sh" compare "$@"
