"""python -m orchestration"""

import sys

from orchestration.words import ExitCode

try:
    from orchestration.cli import main
except ImportError as error:
    print(f"orchestration: a package is missing in {sys.executable}: {error}", file=sys.stderr)  # noqa: T201
    print("  next: install requirements.lock, or name another Python in ORCHESTRATION_PYTHON", file=sys.stderr)  # noqa: T201
    sys.exit(ExitCode.UNKNOWN)

sys.exit(main())
