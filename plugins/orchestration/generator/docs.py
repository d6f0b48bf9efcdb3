"""The documentation that Airflow's UI shows with each DAG, from the YAML. Pure."""

from __future__ import annotations

from orchestration.config import Config
from orchestration.planning.description import described

SHADOW_DOC = (
    "> **Shadow**: this DAG decides and records, beside the system that does the work. It calls no scraper and sends "
    "no message. `python -m orchestration compare` shows both."
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
        "Red means ABORT (this should have run and could not) or a failed execution. The reason stands in the tab "
        "*Rendered Templates* of `decide` or `finish`, in the log of `abort`, and in "
        f"`{config.settings.audit_dataset}.workflow_decisions`. A call's button *Log row* shows every try of it.",
    ]
    return "\n".join(lines)


def locker_doc(config: Config) -> str:
    """Return the Markdown of the locker's DAG."""
    at = config.settings.daily_schedule_lock.generation_time
    return (
        f"### schedule_locker\nAt {at:%H:%M} ET: the day's expected runs, from the same engine that decides them, into "
        f"`{config.settings.audit_dataset}.daily_expected_schedule`. Where there are games, that is an event of the "
        "asset `slate_scheduled`. Red means that the plan itself contains an ABORT."
    )


def cleanup_doc(config: Config) -> str:
    """Return the Markdown of the cleanup's DAG."""
    s = config.settings.cleanup_processor
    return (
        "### cleanup\nAppends what is left in the outbox. Republishes the messages of files that have not reached "
        f"their `processed_in` table {s.min_file_age_minutes} min after they were written, at most "
        f"{s.max_republish} times each; more than {s.storm_threshold} missing at once: none. What a slate has come to "
        "is an event of the assets `lines_collected` and `slate_complete`, once. Red means that there is something to "
        "look at."
    )


def reconcile_doc(config: Config) -> str:
    """Return the Markdown of the reconcile's DAG."""
    settings = config.settings.reconcile
    times = [f"{wall:%H:%M}" for wall in config.reconcile_ticks.times]
    by_itself = f"At {' and '.join(times)} ET, and by hand" if times else "By hand"
    last = f" After {times[-1]} people are told what is still open." if times else ""
    return (
        f"### reconcile\n{by_itself}: finds the games of the last {settings.days} days that a post-game scraper has "
        "not brought, or whose file is neither in its table nor in the bucket any more, and starts one forced run for "
        f"each such date, at most {settings.max_runs}. What a window of the night still asks for is left to it.{last} "
        "`python -m orchestration reconcile` shows what it would start."
    )
