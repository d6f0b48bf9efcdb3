"""From `workflows.yaml` to DAGs and their documentation."""
