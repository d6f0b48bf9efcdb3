"""The dialects of the scraper service: its answers, its log's rows, its messages, and the paths that Phase 2 keeps.

``real`` is the service of July 2026, ``november`` that of November 2025; both were recorded. ``plain`` is the simple
contract for a new service.
"""

from __future__ import annotations

from sandbox.dialect.base import TOPIC, Dialect
from sandbox.dialect.plain import Plain
from sandbox.dialect.real import Real
from sandbox.scrapers import SCRAPERS

DIALECTS: dict[str, Dialect] = {
    "real": Real(TOPIC, tuple(sorted(name for name in SCRAPERS if not name.startswith("bdl_")))),
    "november": Real(
        "nba-scraper-complete", tuple(sorted({*SCRAPERS} - {"nbac_team_boxscore"})), batches=False, november=True
    ),
    "plain": Plain(),
}
