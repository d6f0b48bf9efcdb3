"""The rows of the audit tables as records: one type for each table. Tasks write it, and every reader gets it."""
