"""python -m orchestration"""

import os
import sys

from orchestration.cli import main

try:
    code = main()
    sys.stdout.flush()
except BrokenPipeError:
    # Whoever read our output (head, less) has seen enough. The interpreter must not try to flush it once more.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    code = 0
sys.exit(code)
