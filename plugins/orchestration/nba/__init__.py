"""What is true of the NBA without any configuration: Eastern time, games and slates, teams, seasons."""
