"""The decision engine: pure functions from workflow, tick, schedule and history to RUN, SKIP or ABORT."""

# The model of the file is made of the decision types, which stand here. Whoever comes here first loads it from its top.
import orchestration.config  # noqa: F401
