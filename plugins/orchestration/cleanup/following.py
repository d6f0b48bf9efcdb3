"""Files that left the look-back before they arrived: each is followed until it is closed by name (lesson F2). Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from datetime import datetime

from orchestration.health.findings import FOLLOWED
from orchestration.nba.eastern import et
from orchestration.records.tables import CallRecord, FollowedFile
from orchestration.words import FileState


def followed_of(call: CallRecord) -> FollowedFile:
    """Return the open file of a successful call that names one."""
    return FollowedFile(
        scraper_name=call.scraper_name,
        gcs_path=str(call.gcs_path),
        triggered_at=call.triggered_at,
        target_date=call.target_date,
        call=repeated(call),
    )


def repeated(call: CallRecord) -> str:
    """Return what two calls of a scraper share if one repeats the other: the parameters, else date and game."""
    if call.opts:
        return json.dumps(call.opts, sort_keys=True)
    return " ".join(filter(None, (call.target_date.isoformat(), call.game_id or call.label)))


def given_up_by_age(files: Iterable[FollowedFile], by_a_person: Collection[str]) -> list[FollowedFile]:
    """Return the files that were given up because they had not arrived for :data:`FOLLOWED`."""
    given_up = (file for file in files if file.state is FileState.GIVEN_UP)
    return [f for f in given_up if f.gcs_path not in by_a_person and f.scraper_name not in by_a_person]


def follow(
    files: Iterable[FollowedFile],
    arrived: Collection[str],
    later: Iterable[CallRecord],
    given_up: Collection[str],
    now: datetime,
) -> tuple[FollowedFile, ...]:
    """Return the files with their states at the aware ``now``.

    * ``arrived``: the paths of files that are in their tables.
    * ``later``: successful calls. A repeated call whose own file arrived settles the file of the first.
    * ``given_up``: paths that a person gave up, or names of scrapers for all of their files.
    """
    again: dict[tuple[str, str], datetime] = {}
    for call in later:
        if call.gcs_path in arrived:
            key = call.scraper_name, repeated(call)
            again[key] = max(call.triggered_at, again.get(key, call.triggered_at))

    def closed(file: FollowedFile) -> tuple[FileState, str | None]:
        if file.gcs_path in arrived:
            return FileState.ARRIVED, None
        repeat = again.get((file.scraper_name, file.call))
        if repeat is not None and repeat > file.triggered_at:
            return FileState.SETTLED, f"the file of the same call at {et(repeat):%a %d %b %H:%M} ET arrived"
        if file.gcs_path in given_up or file.scraper_name in given_up:
            return FileState.GIVEN_UP, "by a person"
        if now - file.triggered_at > FOLLOWED:
            return FileState.GIVEN_UP, f"not in its table after {FOLLOWED.days} days"
        return FileState.OPEN, None

    found = []
    for file in sorted(files, key=lambda file: (file.triggered_at, file.gcs_path)):
        state, why = closed(file)
        found.append(file.model_copy(update={"state": state, "why": why}))
    return tuple(found)
