#!/usr/bin/env bash
# Runs `python -m orchestration` with this project's code and, if there is one, its .venv. Code in the current folder or
# in PYTHONPATH cannot take its place. A fault in here exits with 3, "cannot tell".
set -eu
root="$(readlink -f -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../..")" || exit 3
export PYTHONPATH="$root/plugins" PYTHONSAFEPATH=1 PYTHONWARNINGS="${PYTHONWARNINGS:-ignore}"
python="${ORCHESTRATION_PYTHON:-$root/.venv/bin/python}"
command -v -- "$python" >/dev/null || python=python3
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "$python is not Python 3.11 or newer. Name one in ORCHESTRATION_PYTHON." >&2
  exit 3
}
exec "$python" -m orchestration "$@"
