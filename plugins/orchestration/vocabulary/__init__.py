"""What workflows.yaml can say: its values, scrapers, workflows and settings, and the file that holds them."""
