"""Phase 1 orchestration of the NBA scrapers on Apache Airflow.

Layers (imports point down only; ``tests/unit/project/test_layers.py`` holds it):

* ``words``, ``nba``, ``config``, ``decisions``, ``planning``, ``runs`` and ``health``: pure. They know neither Airflow
  nor Google and read no clock (but for ``runs.clock``, whose only task that is).
* ``services``, ``audit``, ``alerts``, ``cleanup``: the outside world, through Airflow's provider hooks.
* ``operators``, ``generator``, ``ui``, ``plugin``, ``cli``: what Airflow and people see.
"""

__version__ = "1.0.0"
