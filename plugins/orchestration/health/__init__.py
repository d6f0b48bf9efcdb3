"""The health of a day: its findings and its verdict, by calendar and windows (lesson K11). Pure."""
