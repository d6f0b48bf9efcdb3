"""The audit trail: rows, deterministic ids, the outbox, and BigQuery through the Google provider's hook."""
