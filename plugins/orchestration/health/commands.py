"""The first commands of findings and alerts, with ``{name}`` for what a finding fills in. Pure."""

from orchestration.health.findings import script, trigger

STATUS = script("check_system_status", "{day}")
FAILURES = script("investigate_scraper_failures", "{day}", " --days 1")
INIT = "python -m orchestration init"
REFRESH = trigger("schedule_dependency", force=True)
RELOCK = trigger("schedule_locker", force=True)
CHECK_SCRAPER = "python -m orchestration check-scraper {scraper}"
AGAIN = trigger("{workflow}", force=True, target_date="{day}")
TIMELINE, STATUS_NOW = script("view_today_timeline", "{day}"), STATUS.partition(" ")[0]
SINCE_LOCK = "python -m orchestration diff --since-lock"
