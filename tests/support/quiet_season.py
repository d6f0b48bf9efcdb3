"""A season with only everyday faults, played hour by hour, with the facts that are known at each hour.

Decisions, plans, cleanups and the health check are the real code. Calls, counts, files and messages are random: a
share of the tries fails, each by itself, and 3 % of the messages are lost. Without Airflow and BigQuery a day takes
about a second, most of it for the health checks.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from orchestration.cleanup.backlog import Republished, backlog
from orchestration.cleanup.following import followed_of
from orchestration.config import Config
from orchestration.decisions.collected import scrapers_about_games
from orchestration.decisions.engine import decide, forced
from orchestration.decisions.model import Decision, History
from orchestration.decisions.request import Request
from orchestration.decisions.whole import PastAnswers, compared, expected_game
from orchestration.health.facts import LEARNED, RECORD, AskedTick, DayFacts, FirstDecision, LockedBefore
from orchestration.nba.eastern import after, at
from orchestration.nba.games import GameType, Schedule
from orchestration.nba.slate import LockedSlate
from orchestration.operators.decide import LOUD
from orchestration.planning.calls import planned_calls
from orchestration.planning.day import calls_digest, plan, rules_digest
from orchestration.planning.makeups import makeups
from orchestration.records.tables import CallRecord, CleanupRecord, DecisionRecord, ExecutionRecord, ExpectedRun
from orchestration.runs.execution import CallEnd, failures_in_short, status_of
from orchestration.services.files import LostFile
from orchestration.vocabulary.scrapers import fan_out_of
from orchestration.words import Action, FanOut, KeptPaths, Outcome
from support.records import a_call, a_cleanup, a_decision, an_execution, expected_run, missing_file
from support.seasons import HardSeason, last_refresh
from support.worlds import locked, ours

FAILING, LOST = 0.02, 0.03
NOISY = 0.05
"""Share of the tries that fail in a noisy season."""
RECORDS = {
    "nbac_schedule_api": (1310, 0.02),
    "nbac_player_list": (530, 0.05),
    "nbac_team_boxscore": (2, 0.0),
    "nbac_player_boxscore": (21.5, 0.12),
    "nbac_play_by_play": (500, 0.1),
    "nbac_gamebook_pdf": (30, 0.1),
    "nbac_injury_report": (70, 0.35),
    "nbac_referee_assignments": (1, 0.0),
    "br_season_roster": (17, 0.12),
    "oddsa_events": (1, 0.0),
    "oddsa_player_props": (40, 0.3),
    "oddsa_game_lines": (8, 0.2),
    "bigdataball_pbp": (470, 0.1),
}
"""For each scraper the records of a call and the share by which they scatter; for a whole date those of one game."""
FOR_EACH_GAME = ("nbac_player_boxscore", "nbac_referee_assignments", "oddsa_events")
HALF_AN_HOUR = timedelta(minutes=30)
HOLD, RUN = timedelta(minutes=5), timedelta(minutes=9)
PUBLISHED = {"nbac_injury_report": (time(11), 210), "nbac_referee_assignments": (time(8, 40), 100)}
"""For each report the earliest ET time of its publication, and the minutes after which it is surely published."""
AFTER_THE_END = {"nbac_play_by_play": (40, 90), "bigdataball_pbp": (40, 90), "nbac_gamebook_pdf": (30, 60)}
BOX_SCORE = (8, 25)
"""Minutes from the end of a game to its data."""


class QuietSeason:
    """Plays days one after the other. ``alerts`` holds the alerts of decisions and cleanups.

    ``noisy``: more tries fail, and each by itself, so that the retries of some calls fail too. ``lost`` holds the
    workflow and tick of each execution with such a call.
    """

    def __init__(self, season: HardSeason, seed: int = 1, *, noisy: bool = False) -> None:
        self.season, self.seed, self.config, self.noisy = season, seed, ours(), noisy
        self.lost: set[tuple[str, datetime]] = set()
        self.answered: dict[tuple[str, str, bool], list[tuple[datetime, int, int]]] = defaultdict(list)
        self.fates = {fate.game_id: fate for fate in season.fates}
        self.history = History()
        self.expected: dict[date, list[ExpectedRun]] = {}
        self.decisions: list[DecisionRecord] = []
        self.executions: list[ExecutionRecord] = []
        self.calls: list[CallRecord] = []
        self.cleanups: list[CleanupRecord] = []
        self.files: dict[str, tuple[LostFile, datetime | None]] = {}
        self.sent: dict[str, Republished] = {}
        self.alerts: list[tuple[datetime, str]] = []
        self.locked: tuple[LockedSlate, ...] = ()
        self.schedule = lru_cache(8)(lambda refresh: replace(season.schedule(refresh), locked=self.locked))
        self.asked = lru_cache(4)(self._asked)

    def dice(self, *what: object) -> random.Random:
        return random.Random(f"{self.seed} {what}")

    def play(self, day: date) -> Iterator[datetime]:
        """Play the day from lock to lock, and yield each moment of a health check."""
        start, end = self.config.day_bounds(day)
        known = self._schedule(start)
        self.locked = locked(replace(known, locked=self.locked[-2:]), day, f"{start:%H:%M}").locked
        self.schedule.cache_clear()
        self.expected[day] = [
            expected_run(
                d.workflow,
                d.tick,
                d.reason,
                locked_at=start,
                rules=rules_digest(self.config, d.workflow),
                calls=calls_digest(self.config, d.workflow),
            )
            for d in plan(self.config, start, end, known, self.history)
            if d.action is Action.RUN
        ]
        moments: dict[datetime, list[str]] = defaultdict(list)
        for name in self.config.enabled:
            for tick in self.config.ticks_of(name).between(start, end):
                moments[tick].append(name)
        for tick in self.config.cleanup_ticks.between(start, end):
            moments[tick].append("cleanup")
            moments[after(tick, HALF_AN_HOUR)].append("look")
        for tick in self.config.reconcile_ticks.between(start, end):
            moments[tick].append("reconcile")
        for moment in sorted(moments):
            names = moments[moment]
            if names == ["look"]:
                yield moment
            elif "cleanup" in names:
                self._cleanup(moment)
                yield moment
            elif "reconcile" in names:
                self._reconcile(moment, day)
            else:
                self._tick(moment, names)
        self._forget(end)

    def facts(self, day: date, now: datetime) -> DayFacts:
        """Return the facts of a day that are known at ``now``."""
        start, end = self.config.day_bounds(day)
        recent = [d for d in self.decisions if start - RECORD <= d.tick < end and d.tick <= now]
        firsts = {d.workflow_name: d.tick for d in reversed(recent)}
        about = [c for c in self.calls if start <= c.tick <= now and (c.tick < end or c.target_date == day)]
        return DayFacts(
            day,
            self._schedule(now),
            tuple(self.expected.get(day, ())),
            tuple(d for d in recent if d.tick >= start),
            tuple(e for e in self.executions if start <= e.tick <= now and (e.tick < end or e.target_date == day)),
            tuple(about),
            tuple(c for c in self.cleanups if start <= c.cleanup_time <= now),
            tuple(FirstDecision(workflow_name=name, tick=tick, decided_at=tick) for name, tick in firsts.items()),
            self.asked(start),
            tuple(
                LockedBefore(
                    workflow_name=run.workflow_name, date=before, runs=1, first=run.tick, rules=run.rules,
                    calls=run.calls,
                )
                for before, runs in self.expected.items()
                if day - RECORD <= before < day
                for run in runs
            ),
            in_tables=self._in_tables(day, now),
        )  # fmt: skip

    def _asked(self, start: datetime) -> tuple[AskedTick, ...]:
        """Return the calls of the days before, by tick."""
        ticks: dict[tuple[str, str, datetime, date], list[CallRecord]] = defaultdict(list)
        for call in self.calls:
            if call.status is not Outcome.FAILED and start - LEARNED <= call.tick < start:
                ticks[call.workflow or "", call.scraper_name, call.tick, call.target_date].append(call)
        return tuple(
            AskedTick(
                workflow=workflow, scraper_name=scraper, tick=tick, target_date=about, calls=len(made),
                found=sum(call.status is Outcome.SUCCESS for call in made), seconds=made[0].duration_seconds,
            )
            for (workflow, scraper, tick, about), made in ticks.items()
        )  # fmt: skip

    def _in_tables(self, day: date, now: datetime) -> dict[str, frozenset[str]]:
        """Return the games of a day that the tables of the box scores have at ``now``."""
        found: dict[str, set[str]] = {s.processed_in: set() for s in self.config.scrapers.values() if s.game_column}
        for call in self.calls:
            model = self.config.scrapers[call.scraper_name]
            _, arrived = self.files.get(call.gcs_path or "", (None, None))
            if model.game_column and call.target_date == day and arrived is not None and arrived <= now:
                of_date = [fate.game_id for fate in self.season.by_day[day] if fate.tip and fate.day == day]
                over = [game for game in of_date if self._over(game, call.scraper_name) <= call.tick]
                found[model.processed_in] |= set(over if call.game_id is None else [call.game_id])
        return {table: frozenset(games) for table, games in found.items()}

    def _schedule(self, moment: datetime) -> Schedule:
        return self.schedule(last_refresh(after(moment, timedelta(seconds=1))))

    def _tick(self, tick: datetime, names: list[str]) -> None:
        schedule = self.schedule(last_refresh(tick))
        self.history = replace(self.history, answers=self._past_answers())
        made = [decide(name, self.config, tick, schedule, self.history) for name in names]
        for decision in made:
            if decision.alert_level in LOUD or decision.action is Action.ABORT:
                self.alerts.append((tick, f"{decision.workflow}: {decision.reason}"))
            if decision.action is Action.RUN:
                self._run(self.config, decision)
        noted = [a_decision(d.workflow, d.tick, d.action, d.rule, d.reason, target_date=d.target_date) for d in made]
        self.decisions += noted
        self.history = self.history.plus(decisions=noted)

    def _run(self, config: Config, decision: Decision) -> None:
        planned = planned_calls(config, decision)
        made = [(c.scraper, c.item.game.game_id if c.item.game else None, number) for number, c in enumerate(planned)]
        self._execute(decision, made, f"{decision.workflow} {decision.tick}")

    def _past_answers(self) -> tuple[PastAnswers, ...]:
        """Return what the SQL function past_answers returns: three answers of each tick first."""
        found = []
        for (scraper, item, game_day), answers in self.answered.items():
            numbers: Counter[datetime] = Counter()
            ranked = []
            for tick, records, games in answers:
                ranked.append((numbers[tick] // 3, -tick.timestamp(), records, games))
                numbers[tick] += 1
            last = sorted(ranked)[:30]
            counts, games_of = tuple(one[2] for one in last), tuple(one[3] for one in last)
            found.append(PastAnswers.model_construct(
                scraper_name=scraper, item=item, game_day=game_day, counts=counts, games=games_of
            ))  # fmt: skip
        return tuple(found)

    def _short(self, decision: Decision, scraper: str, records: int) -> str | None:
        """Return why an answer is partial, as a call would record it, and keep the answer."""
        model, slate = self.config.scrapers[scraper], [expected_game(game) for game in decision.slate]
        fan_out = fan_out_of(scraper, model)
        whole_date = fan_out is FanOut.NOTHING
        counted = records if scraper == "nbac_referee_assignments" else None
        short = compared(
            model.expects, decision.usual.get(scraper), slate if whole_date else (), records=records, listed=None,
            counted=counted,
        )  # fmt: skip
        if short is not None:
            return short.text
        item = fan_out.value if fan_out in (FanOut.GAME, FanOut.NOTHING) else "item"
        kept = self.answered[scraper, item, bool(slate)]
        kept.append((decision.tick, records, len(slate)))
        del kept[:-400]
        return None

    def _execute(self, decision: Decision, made: list[tuple[str, str | None, int]], decision_id: str | None) -> None:
        """Make calls. A call that fails succeeds on its retry, unless the season is noisy."""
        workflow, tick, day = decision.workflow, decision.tick, decision.target_date
        calls, ends, empty = [], [], 0
        for scraper, game_id, number in made:
            outcome = Outcome.SUCCESS if self._there(scraper, game_id, day, tick) else Outcome.NO_DATA
            fails = self._failing_tries(scraper, game_id, tick, number)
            path = f"gs://b/{scraper}/{day}/{tick:%Y%m%d%H%M}-{number}.json" if outcome is Outcome.SUCCESS else None
            called, tries = after(tick, HOLD), 1 + (self.config.retries(scraper) if self.noisy else 1)
            about = (scraper, workflow, tick, day)
            for one in range(min(fails, tries)):
                row_id = f"{workflow} {tick} {scraper} {game_id} {number} {one}"
                calls.append(
                    a_call(
                        *about, Outcome.FAILED, game_id, error_type="timeout", map_index=number, triggered_at=called,
                        try_number=1 + one, row_id=row_id, decision_id=decision_id,
                    )
                )  # fmt: skip
            if fails >= tries:
                ends.append(CallEnd(scraper, number, Outcome.FAILED, scraper, error_type="timeout"))
                self.lost.add((workflow, tick))
                continue
            ends.append(CallEnd(scraper, number, outcome, scraper))
            records = self._records(scraper, day, tick, number) if outcome is Outcome.SUCCESS else 0
            calls.append(
                a_call(
                    *about, outcome, game_id, map_index=number, try_number=1 + fails, record_count=records,
                    games_expected=len(decision.slate), label=f"{scraper} {number}",
                    shortfall=self._short(decision, scraper, records) if records else None,
                    gcs_path=path, triggered_at=called, duration_seconds=3.0, timeout_seconds=150.0,
                    decision_id=decision_id,
                )
            )  # fmt: skip
            empty += outcome is Outcome.NO_DATA
            model = self.config.scrapers[scraper]
            if path is not None and model.processed_in and model.keeps_paths is not KeptPaths.NONE:
                lost = self.dice("lost", path).random() < LOST
                file = LostFile(scraper, path, path, workflow, 1, called)
                self.files[path] = (file, None if lost else after(called, timedelta(minutes=2)))
        seconds = RUN.total_seconds()
        failed = sum(end.outcome is Outcome.FAILED for end in ends)
        execution = an_execution(
            workflow, tick, day, len(made), empty, decision_id, duration_seconds=seconds,
            scrapers_succeeded=len(made) - failed, scrapers_failed=failed, error_message=failures_in_short(ends),
            status=status_of(ends, self.config.critical_scrapers(workflow)),
        )  # fmt: skip
        self.executions.append(execution)
        self.calls += calls
        self.history = self.history.plus([execution], calls)

    def _failing_tries(self, scraper: str, game_id: str | None, tick: datetime, number: int) -> int:
        """Return how many tries of a call fail one after the other."""
        dice, share = self.dice("fails", scraper, game_id, tick, number), NOISY if self.noisy else FAILING
        fails = 0
        while dice.random() < share and (self.noisy or not fails):
            fails += 1
        return fails

    def _records(self, scraper: str, day: date, tick: datetime, number: int) -> int:
        """Return the records of a call: they scatter, and those of a whole date grow with the games that are over."""
        usual, scatter = RECORDS[scraper]
        dice = self.dice("records", scraper, day, tick, number)
        fates = self.season.by_day.get(day, [])
        if scraper in self._about_games():
            fates = [f for f in fates if f.tip and f.day == day and self._over(f.game_id, scraper) <= tick]
        else:
            fates = [f for f in fates if [said for said in f.said if said.since <= tick][-1].day == day]
        times = len(fates) if scraper in FOR_EACH_GAME else 1
        return max(1, round(sum(usual * (1 + dice.uniform(-scatter, scatter)) for _ in range(times))))

    def _there(self, scraper: str, game_id: str | None, day: date, tick: datetime) -> bool:
        """Return whether the source has the data of a call at the tick."""
        if scraper in PUBLISHED:
            wall, minutes = PUBLISHED[scraper]
            return after(at(day, wall), timedelta(minutes=self.dice(scraper, day).randint(0, minutes))) <= tick
        if scraper not in self._about_games():
            return True
        if game_id is not None:
            return self._over(game_id, scraper) <= tick
        return any(self._over(f.game_id, scraper) <= tick for f in self.season.by_day[day] if f.tip and f.day == day)

    @lru_cache(1)  # noqa: B019  one season, one test
    def _about_games(self) -> frozenset[str]:
        names = ("post_game_window_1", "post_game_window_2", "post_game_window_3")
        return frozenset(s for name in names for s in scrapers_about_games(self.config, name, critical_only=False))

    @lru_cache(None)  # noqa: B019  one season, one test
    def _over(self, game_id: str, scraper: str) -> datetime:
        """Return when the data of a game is published."""
        fate = self.fates[game_id]
        if fate.tip is None:
            return datetime.max.replace(tzinfo=at(fate.day, time(0)).tzinfo) - timedelta(days=2)
        least, most = AFTER_THE_END.get(scraper, BOX_SCORE)
        dice = self.dice("over", game_id)
        played = dice.randint(132, 165)
        return after(fate.tip, timedelta(minutes=played + self.dice(scraper, game_id).randint(least, most)))

    def _cleanup(self, now: datetime) -> None:
        settings = self.config.settings.cleanup_processor
        oldest = after(now, -timedelta(hours=settings.lookback_hours))
        youngest = after(now, -timedelta(minutes=settings.min_file_age_minutes))
        newest = {file.scraper_name: path for path, (file, _) in self.files.items()}
        looked = [
            (file, arrived)
            for path, (file, arrived) in self.files.items()
            if oldest <= file.triggered_at <= youngest
            and (
                self.config.scrapers[file.scraper_name].keeps_paths is KeptPaths.ALL
                or newest[file.scraper_name] == path
            )
        ]
        there = [file.gcs_path for file, arrived in looked if arrived is not None and arrived <= now]
        look = backlog([file for file, _ in looked], there, self.sent, now, settings)
        for file in look.publish:
            before = self.sent.get(file.gcs_path)
            self.sent[file.gcs_path] = Republished(1 if before is None else before.times + 1, now)
            self.files[file.gcs_path] = (file, after(now, timedelta(minutes=2)))
        self.alerts += [(now, alert.text) for alert in look.alerts]
        if len(look.missing) >= settings.notification_threshold:
            self.alerts.append((now, f"{len(look.missing)} of {look.checked} files had not reached their tables"))
        waiting = tuple(
            missing_file(f.gcs_path, int((now - f.triggered_at).total_seconds() // 60), f.scraper_name, f.triggered_at)
            for f in look.missing
        )
        left = [c for c in self.calls if c.triggered_at < oldest and self._is_open(c.gcs_path, now)]
        cleanup = a_cleanup(
            now, look.checked, len(look.missing), len(look.publish), missing_files=waiting, files_since=oldest,
            followed_files=tuple(map(followed_of, left)),
        )  # fmt: skip
        self.cleanups.append(cleanup)

    def _is_open(self, path: str | None, now: datetime) -> bool:
        file, arrived = self.files.get(path or "", (None, now))
        newest = file is None or self.config.scrapers[file.scraper_name].keeps_paths is KeptPaths.NEWEST
        return not newest and (arrived is None or arrived > now)

    def _reconcile(self, now: datetime, day: date) -> None:
        schedule = self._schedule(now)
        games = [game for shift in range(3) for game in schedule.on(day - timedelta(days=shift), GameType)]
        for makeup in makeups(self.config, games, self.history.successes, now, 5):
            per_game = self.config.per_game_scrapers(makeup.workflow)
            made = [
                (scraper, game_id, number)
                for scraper in makeup.scrapers
                for number, game_id in enumerate(makeup.games if scraper in per_game else (None,))
            ]
            asked = Request(force=True, target_date=makeup.target_date.isoformat())
            run = forced(makeup.workflow, self.config, now, schedule, "reconcile", asked, self._past_answers())
            self._execute(run, made, None)

    def _forget(self, end: datetime) -> None:
        """Forget records that no check reads any more."""
        oldest, first = after(end, -timedelta(hours=72)), end - LEARNED - timedelta(days=2)
        self.history = History(
            tuple(e for e in self.history.executions if e.tick > oldest),
            tuple(c for c in self.history.calls if c.tick > oldest),
            tuple(d for d in self.history.decisions if d.tick > oldest),
            self.history.answers,
        )
        self.decisions = [d for d in self.decisions if d.tick > first]
        self.executions = [e for e in self.executions if e.tick > oldest]
        self.calls = [c for c in self.calls if c.tick > first]
        self.cleanups = [c for c in self.cleanups if c.cleanup_time > oldest]
        self.files = {path: found for path, found in self.files.items() if found[0].triggered_at > oldest}
