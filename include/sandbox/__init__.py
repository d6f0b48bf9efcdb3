"""The sandbox world: stand-ins for everything outside Airflow, for the demo and the integration tests.

It has a scraper service with the real answers, a Pub/Sub endpoint with the real gRPC protocol, and a Phase 2 processor
that writes ``nba_raw``. The stack runs them beside a real Airflow. Production code never imports this package: only
connections and endpoints differ.
"""
