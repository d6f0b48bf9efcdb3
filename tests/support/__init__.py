"""Helpers of the tests: game worlds, emulators, rows, scripted services."""
