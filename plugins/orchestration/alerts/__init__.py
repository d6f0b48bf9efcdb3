"""Alerts: the alert itself, the memory of alerts that were sent, the channels, missed deadlines."""
