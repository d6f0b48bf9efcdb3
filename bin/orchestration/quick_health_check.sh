#!/usr/bin/env bash
# Gives the verdict on a day: is everything in? Start here. --help says more.
here="$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")"
ORCHESTRATION_SCRIPT="${0##*/}" exec "$here/_orchestration.sh" health "$@"
