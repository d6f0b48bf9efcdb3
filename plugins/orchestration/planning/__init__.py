"""What decisions lead to: calls, a day's plan, make-up runs, what-if questions, another system's work. Pure."""
