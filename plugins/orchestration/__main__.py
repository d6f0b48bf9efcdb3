"""python -m orchestration"""

import sys

UNKNOWN = 3

try:
    from orchestration.cli import main
except ImportError as error:
    print(f"orchestration: something is not installed for {sys.executable}: {error}", file=sys.stderr)  # noqa: T201
    sys.exit(UNKNOWN)

sys.exit(main())
