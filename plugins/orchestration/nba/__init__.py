"""Facts about the NBA that need no configuration: Eastern time, games and slates, teams, seasons."""
