#!/usr/bin/env bash
# Runs `python -m orchestration` with this project's code, in its .venv if there is one. Neither the folder one is in nor
# PYTHONPATH can put other code in its place. What keeps it from running is 3, unknown: 0 to 2 are verdicts.
set -eu
root="$(readlink -f -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../..")" || exit 3
export PYTHONPATH="$root/plugins" PYTHONSAFEPATH=1 PYTHONWARNINGS="${PYTHONWARNINGS:-ignore}"
python="${ORCHESTRATION_PYTHON:-$root/.venv/bin/python}"
command -v -- "$python" >/dev/null || python=python3
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "$python is no Python 3.11 or later; ORCHESTRATION_PYTHON can name another" >&2
  exit 3
}
exec "$python" -m orchestration "$@"
