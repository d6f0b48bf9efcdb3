"""The documentation of each DAG in Airflow's UI, from the YAML. Pure."""

from __future__ import annotations

from orchestration.config import Config
from orchestration.planning.description import described

SHADOW_DOC = (
    "> **Shadow**: this DAG decides and records beside the system that does the work. It calls no scraper and "
    "publishes no message. `python -m orchestration compare` shows both systems."
)


def workflow_doc(config: Config, name: str) -> str:
    """Return the Markdown of a workflow's DAG."""
    workflow = config.workflows[name]
    lines = [f"### {name}", workflow.description, ""]
    lines += [f"* {sentence}" for sentence in described(config, name)]
    if workflow.contacts:
        lines += ["", f"**Contacts**: {', '.join(workflow.contacts)}"]
    lines += [
        "",
        "A red run is an ABORT (the workflow should have run and could not) or a failed execution. The tab *Rendered "
        "Templates* of `decide` or `finish` shows the reason, and so do the log of `abort` and the table "
        f"`{config.settings.audit_dataset}.workflow_decisions`. The button *Log row* of a call shows all of its tries.",
    ]
    return "\n".join(lines)


def locker_doc(config: Config) -> str:
    """Return the Markdown of the locker's DAG."""
    at = config.settings.daily_schedule_lock.generation_time
    return (
        f"### schedule_locker\nWrites the expected runs of the day into "
        f"`{config.settings.audit_dataset}.daily_expected_schedule` at {at:%H:%M} ET, planned by the same engine that "
        "decides them. A day with games is also an event of the asset `slate_scheduled`. `lock` is red if the plan "
        "contains an ABORT, `check_tables` if a table, a column or a scraper that we name does not exist."
    )


def cleanup_doc(config: Config) -> str:
    """Return the Markdown of the cleanup's DAG."""
    s = config.settings.cleanup_processor
    return (
        "### cleanup\nAppends the rows that are left in the outbox. Republishes the messages of files that have not "
        f"reached their `processed_in` table {s.min_file_age_minutes} min after they were written, at most "
        f"{s.max_republish} times each. If more than {s.storm_threshold} files are missing at once, it republishes "
        "none. Adds the events of the assets `lines_collected` and `slate_complete`, once for each slate. A red task "
        "has raised an alert; its log has the text."
    )


def reconcile_doc(config: Config) -> str:
    """Return the Markdown of the reconcile's DAG."""
    settings = config.settings.reconcile
    times = [f"{wall:%H:%M}" for wall in config.reconcile_ticks.times]
    when = f"at {' and '.join(times)} ET and by hand" if times else "by hand"
    last = f" After {times[-1]} ET it alerts about games that are still missing." if times else ""
    return (
        f"### reconcile\nRuns {when}. Finds the games of the last {settings.days} days that a post-game scraper has "
        "not fetched, or whose file is neither in its table nor in its bucket. Starts one forced run for each such "
        f"date, at most {settings.max_runs}. Games that a window of the night will still fetch are left to that "
        f"window.{last} `python -m orchestration reconcile` shows the runs that it would start."
    )
