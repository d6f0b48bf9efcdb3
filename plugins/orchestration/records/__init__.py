"""The rows of the audit tables as records: one type for each table. Tasks write records and readers get records."""
