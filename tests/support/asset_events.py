"""The events of assets without a running Airflow: kept as it keeps them, with the success of a task."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import attrs
from airflow.sdk import Asset, AssetAlias
from airflow.sdk.execution_time.context import OutletEventAccessors


class _Events(list[Any]):
    def ascending(self, ascending: bool = True) -> _Events:
        return _Events(self if ascending else reversed(self))

    def after(self, _: str) -> _Events:
        return self

    def limit(self, limit: int) -> _Events:
        return _Events(self[:limit])


class AssetEvents:
    """All events so far: the asset's URI and what it says. ``succeeded`` is what Airflow does after a task."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def context(self) -> dict[str, Any]:
        return {"outlet_events": OutletEventAccessors(), "inlet_events": self}

    def __getitem__(self, inlet: Asset | AssetAlias) -> _Events:
        """Return the events of an asset; those of all assets for an alias."""
        uris = {uri for uri, _ in self.events} if isinstance(inlet, AssetAlias) else {inlet.uri}
        return _Events(SimpleNamespace(extra=extra) for uri, extra in self.events if uri in uris)

    def succeeded(self, operator: Any, context: dict[str, Any]) -> None:
        """Airflow keeps what was said through an alias among the task's outlets; what is the same only once."""
        aliases = {outlet.name for outlet in operator.outlets if isinstance(outlet, AssetAlias)}
        said: list[tuple[str, dict[str, Any]]] = []
        for accessor in context["outlet_events"]._dict.values():
            for event in accessor.asset_alias_events:
                one = (attrs.asdict(event.dest_asset_key)["uri"], event.extra)
                if event.source_alias_name in aliases and one not in said:
                    said.append(one)
        self.events += said

    def of(self, asset: Asset) -> list[dict[str, Any]]:
        """Return what the events of an asset say, in their order."""
        return [extra for uri, extra in self.events if uri == asset.uri]
