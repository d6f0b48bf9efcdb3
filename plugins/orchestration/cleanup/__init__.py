"""Finding files that never reached their table, and deciding which messages to publish again."""
