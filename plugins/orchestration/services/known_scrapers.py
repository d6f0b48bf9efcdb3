"""Whether the scraper service knows the names that ``workflows.yaml`` calls (lesson A8)."""

from __future__ import annotations

from datetime import datetime

from orchestration.config.errors import did_you_mean
from orchestration.config.model import Config
from orchestration.nba.eastern import et_date
from orchestration.services.errors import hide_in_logs, in_short
from orchestration.services.scraper_service import NoListing, ScraperService

LISTING_SECONDS = 10.0


def unknown_scrapers(config: Config, now: datetime) -> list[str]:
    """Return a line for each scraper that the service does not have and a workflow would call. Raises NoListing.

    A workflow that is halted at the aware ``now`` calls nothing. A shadow does not either, but is meant to.
    """
    try:
        known = ScraperService(config.settings.endpoint).names(LISTING_SECONDS)
    except NoListing:
        raise
    except Exception as error:
        # No connection, no login, no database that knows them: whatever it is, it is said, and nothing waits for it.
        hide_in_logs(error)
        raise NoListing(in_short(error)) from error
    callers: dict[str, list[str]] = {}
    for workflow in sorted(config.enabled):
        halts = (config.settings.halt, config.enabled[workflow].halt)
        if any(halt and halt.holds_at(now, et_date(now)) for halt in halts):
            continue
        for scraper in config.enabled[workflow].execution_plan.scrapers:
            callers.setdefault(scraper, []).append(workflow)
    return [
        f"scrapers.{name}: the scraper service knows no {name}{did_you_mean(name, known)}; "
        f"{', '.join(workflows)} would call it"
        for name, workflows in sorted(callers.items())
        if name not in known
    ]
