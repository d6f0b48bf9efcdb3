#!/usr/bin/env bash
# Says in sentences what a workflow's YAML means. --help says more.
here="$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")"
ORCHESTRATION_SCRIPT="${0##*/}" exec "$here/_orchestration.sh" describe "$@"
