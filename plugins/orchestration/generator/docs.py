"""The documentation that Airflow's UI shows with each DAG, from the YAML. Pure."""

from __future__ import annotations

from orchestration.config.model import Config
from orchestration.config.scrapers import fan_out_of
from orchestration.config.workflows import (
    DiscoveryWorkflow,
    EarlyGameWorkflow,
    FreshnessWorkflow,
    GameAwareWorkflow,
    PostGameWorkflow,
    SelfAwareWorkflow,
)

SHADOW_DOC = (
    "> **Shadow**: this DAG decides and records, beside the system that does the work. It calls no scraper and sends "
    "no message. `python -m orchestration compare` shows both."
)


def rule_in_words(config: Config, name: str) -> str:
    """Return the workflow's rule in one sentence."""
    match config.workflows[name]:
        case SelfAwareWorkflow(schedule=s):
            w = s.ideal_window
            return f"Once a day, between {w.start_hour:02d}:00 and {w.end_hour:02d}:00 ET; later if it was missed."
        case GameAwareWorkflow(schedule=s):
            hours = s.business_hours
            return (
                f"On game days, every {s.frequency_hours:g} h from {s.window_before_game_hours:g} h before the first "
                f"tip to the last one, between {hours.start:02d}:00 and {hours.end:02d}:00 ET."
            )
        case PostGameWorkflow(schedule=s):
            return (
                f"At {s.fixed_time:%H:%M} ET (± {s.tolerance_minutes} min), for every game of the slate that is "
                "not collected yet."
            )
        case EarlyGameWorkflow(schedule=s):
            return (
                f"For games that tip before {s.early_game_cutoff_hour:02d}:00 ET, from {s.collection_delay_hours:g} h "
                "after their tip until they are collected."
            )
        case DiscoveryWorkflow(schedule=s):
            return (
                f"Until it is found: up to {s.max_attempts_per_day} attempts a day, every {s.retry_interval_hours:g} h "
                f"from {s.first_hour:02d}:00 ET{', on game days' if s.requires_game_day else ''}."
            )
        case FreshnessWorkflow() as workflow:
            return f"Whenever the last success is {config.max_age_hours(workflow):g} h old, and before the lock."


def ticks_in_words(config: Config, name: str) -> str:
    """Return when the workflow is asked: the regular ticks and its own."""
    regular = config.regular_ticks.times
    every = config.settings.controller_interval_minutes
    own = [f"{wall:%H:%M}" for wall in config.ticks_of(name).times if wall not in regular]
    steps = "hourly" if every == 60 else f"every {every} min"
    return f"{steps} from {regular[0]:%H:%M} to {regular[-1]:%H:%M}" + (f", and at {', '.join(own)}" if own else "")


def workflow_doc(config: Config, name: str) -> str:
    """Return the Markdown of a workflow's DAG."""
    workflow = config.workflows[name]
    lines = [
        f"### {name}",
        workflow.description,
        "",
        f"**Rule** ({workflow.decision_type.value}): {rule_in_words(config, name)}",
        "",
        f"**Ticks** (ET): {ticks_in_words(config, name)}. The next one stands above, as *Next Run*.",
        "",
        "| step | scraper | called for each | critical |",
        "|---|---|---|---|",
    ]
    for step_name, step in workflow.execution_plan.steps.items():
        for scraper in step.scrapers:
            model = config.scrapers[scraper]
            critical = "yes" if model.critical else "no"
            lines.append(f"| {step_name} | `{scraper}` | {fan_out_of(scraper, model).value} | {critical} |")
    lines += ["", f"**Must be over** {config.deadline_minutes(name):g} min after it was queued."]
    if workflow.dependencies.requires:
        lines += ["", f"**Requires** for the same slate: {', '.join(workflow.dependencies.requires)}"]
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
        f"`{config.settings.audit_dataset}.daily_expected_schedule`. Red means that the plan itself contains an ABORT."
    )


def cleanup_doc(config: Config) -> str:
    """Return the Markdown of the cleanup's DAG."""
    s = config.settings.cleanup_processor
    return (
        "### cleanup\nAppends what is left in the outbox. Republishes the messages of files that have not reached "
        f"their `processed_in` table {s.min_file_age_minutes} min after they were written, at most "
        f"{s.max_republish} times each; more than {s.storm_threshold} missing at once: none. Red means that there is "
        "something to look at."
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
