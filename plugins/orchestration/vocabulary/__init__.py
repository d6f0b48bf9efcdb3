"""The models of ``workflows.yaml``: values, scrapers, workflows, settings, and the file without its decision types."""
