"""Finds files that never reached their table, and decides which messages to publish again."""
