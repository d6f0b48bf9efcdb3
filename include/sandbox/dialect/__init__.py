"""How the scraper service speaks: its answers, its log's rows, its messages, and the paths that Phase 2 keeps.

``real`` is the service as it is since July 2026, ``november`` as it was in November 2025; both were measured. ``plain``
is the simple contract for a service written new.
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
