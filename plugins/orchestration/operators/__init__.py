"""The operators of the generated DAGs."""
