"""Phase 1 orchestration of the NBA scrapers on Apache Airflow.

Layers (imports point down only; ``tests/unit/project/test_layers.py`` holds it):

* ``words``, ``nba``, ``vocabulary``, ``decisions``, ``config``, ``planning``, ``runs`` and ``health``: pure. They know
  neither Airflow nor Google. Only ``runs.clock`` reads a clock.
* ``services``, ``audit``, ``alerts``, ``cleanup``: the outside world, through Airflow's provider hooks.
* ``operators``, ``generator``, ``ui``, ``plugin``, ``cli``: what Airflow and people see.
"""

__version__ = "1.0.0"
