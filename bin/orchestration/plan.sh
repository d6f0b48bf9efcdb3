#!/usr/bin/env bash
# What would run on a date, and why, tick by tick. Touches nothing.
# Usage: plan.sh --date YYYY-MM-DD [--days N] [--games FILE] [--config FILE] [--workflow W] [--verbose] [--json]
here="$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")"
exec "$here/_orchestration.sh" plan "$@"
