#!/usr/bin/env bash
# Repeats the recorded decisions and shows what differs. --help says more.
here="$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")"
ORCHESTRATION_SCRIPT="${0##*/}" exec "$here/_orchestration.sh" backtest "$@"
