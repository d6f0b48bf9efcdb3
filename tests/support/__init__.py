"""What the tests stand on: worlds, stand-ins, rows, services that behave as a test says."""
