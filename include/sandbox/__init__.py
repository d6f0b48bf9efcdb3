"""The sandbox world: stand-ins for everything outside Airflow, for the demo and the integration tests.

A scraper service that speaks the real contract, a Pub/Sub endpoint that speaks the real gRPC protocol, a Phase 2
processor that reads the handoff messages into ``nba_raw``, and the stack that runs them beside a real Airflow.
Production code never imports it; connections and endpoints are the only difference.
"""
