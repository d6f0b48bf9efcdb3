"""Pure knowledge of the NBA: Eastern time, games and slates, teams, seasons."""
