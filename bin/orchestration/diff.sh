#!/usr/bin/env bash
# What a change of workflows.yaml changes over a season: runs, calls, games, deadlines, alerts. Touches nothing.
# Usage: diff.sh OLD NEW [--from YYYY-MM-DD] [--to YYYY-MM-DD] [--games FILE | --example] [--json | --markdown]
# OLD and NEW are files, or files at a git revision: HEAD~1:config/workflows.yaml
here="$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")"
exec "$here/_orchestration.sh" diff "$@"
