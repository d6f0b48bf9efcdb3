"""What another system of the same tables did: history for our decisions, and the comparison of both. Pure."""
