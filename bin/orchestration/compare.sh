#!/usr/bin/env bash
# What another system did and what this one decided, tick by tick. Exit 0 nothing differs, 1 something does, 3 unknown.
# Usage: compare.sh --with DATASET [--date YYYY-MM-DD] [--days N] [--as-of TIME] [--json]
here="$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")"
exec "$here/_orchestration.sh" compare "$@"
