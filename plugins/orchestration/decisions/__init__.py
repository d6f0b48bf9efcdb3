"""The decision engine: pure functions from workflow, tick, schedule and history to RUN, SKIP or ABORT."""
