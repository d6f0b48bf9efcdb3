"""Airflow's asset events and state stores, without a running Airflow."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace
from typing import Any

import attrs
from airflow.sdk import Asset, AssetAlias
from airflow.sdk.execution_time.context import OutletEventAccessors

from orchestration.alerts.memory import ALERTS


class StateStore(dict[str, Any]):
    """A state store of a task or an asset."""

    set = dict.__setitem__


class _Events(list[Any]):
    def ascending(self, ascending: bool = True) -> _Events:
        return _Events(self if ascending else reversed(self))

    def after(self, _: str) -> _Events:
        return self

    def limit(self, limit: int) -> _Events:
        return _Events(self[:limit])


class AssetEvents:
    """All events so far, as URI and extra. ``succeeded`` keeps the events of a task, as Airflow does after it."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def context(self) -> dict[str, Any]:
        return {"outlet_events": OutletEventAccessors(), "inlet_events": self}

    def __getitem__(self, inlet: Asset | AssetAlias) -> _Events:
        """Return the events of an asset. For an alias return the events of all assets."""
        uris = {uri for uri, _ in self.events} if isinstance(inlet, AssetAlias) else {inlet.uri}
        return _Events(SimpleNamespace(extra=extra) for uri, extra in self.events if uri in uris)

    def succeeded(self, operator: Any, context: dict[str, Any]) -> None:
        """Keep the events that the task added through an alias of its outlets. Equal events are kept once."""
        aliases = {outlet.name for outlet in operator.outlets if isinstance(outlet, AssetAlias)}
        said: list[tuple[str, dict[str, Any]]] = []
        for accessor in context["outlet_events"]._dict.values():
            for event in accessor.asset_alias_events:
                one = (attrs.asdict(event.dest_asset_key)["uri"], event.extra)
                if event.source_alias_name in aliases and one not in said:
                    said.append(one)
        self.events += said

    def of(self, asset: Asset) -> list[dict[str, Any]]:
        """Return the extras of the events of an asset, in their order."""
        return [extra for uri, extra in self.events if uri == asset.uri]


def a_run_of_the_cleanup(moment: datetime) -> dict[str, Any]:
    """Return a task's context in a scheduled run of the cleanup, with the state that Airflow keeps between runs."""
    return {
        "ti": SimpleNamespace(dag_id="cleanup", run_id="c 1"),
        "dag_run": SimpleNamespace(
            run_id="c 1", run_type="scheduled", conf={"as_of": moment.isoformat()}, start_date=moment,
            run_after=moment, logical_date=moment, triggering_user_name=None,
        ),
        "asset_state_store": {ALERTS: StateStore()},
    }  # fmt: skip
