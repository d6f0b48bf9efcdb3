#!/usr/bin/env bash
# What a workflow's part of workflows.yaml means, in sentences, and when it is asked next. Exit 0, 1 there is none such.
# Usage: describe.sh [WORKFLOW] [--config FILE] [--as-of TIME] [--json]
here="$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")"
exec "$here/_orchestration.sh" describe "$@"
