"""The rows of the audit tables as records: one type for each table, for whoever writes a row and whoever reads it."""
