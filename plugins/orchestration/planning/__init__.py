"""What a decision would do: its calls, and a whole day of decisions. Pure."""
