"""Phase 1 orchestration of the NBA scrapers on Apache Airflow.

Layers (imports point down only; ``tests/test_layers.py`` holds it):

* ``words``, ``nba``, ``decisions``, ``config``, ``planning``, ``health.verdict`` and ``cleanup.backlog``: pure.
  They know neither Airflow nor Google and read no clock.
* ``audit``, ``services``: the outside world, through Airflow's provider hooks.
* ``operators``, ``callbacks``, ``dag_factory``, ``plugin``, ``cli``: what Airflow and people see.
"""

__version__ = "1.0.0"
