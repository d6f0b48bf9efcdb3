#!/usr/bin/env bash
# Decides again what is on record, and says where the answer is not the same. Exit 0 the same, 1 not, 2 cannot be told.
# Usage: backtest.sh --from YYYY-MM-DD --to YYYY-MM-DD [--config FILE] [--json]
here="$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")"
exec "$here/_orchestration.sh" backtest "$@"
