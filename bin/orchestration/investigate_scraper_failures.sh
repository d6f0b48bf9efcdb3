#!/usr/bin/env bash
# Shows scrapers with failed tries, and why they failed. --help says more.
here="$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")"
ORCHESTRATION_SCRIPT="${0##*/}" exec "$here/_orchestration.sh" failures "$@"
