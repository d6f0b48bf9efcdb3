"""What a person is told: the alert, the memory of what was told, the channels, missed deadlines."""
