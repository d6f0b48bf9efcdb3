"""Reads docker-compose.yaml and the Dockerfile for a machine without containers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

VARIABLE = re.compile(r"\$(?:(\$)|\{(\w+)(?::([-?])([^}]*))?\})")
"""``$$``, ``${NAME}``, ``${NAME:-default}`` or ``${NAME:?error}``."""


class ComposeError(Exception):
    """A variable that the file requires is not set. The text is one line for a person."""


def interpolated(text: str, variables: Mapping[str, str]) -> str:
    """Return ``text`` with its variables filled in, as Compose does. Raises ComposeError for a missing one."""

    def value(found: re.Match[str]) -> str:
        dollar, name, kind, other = found.groups()
        if dollar:
            return "$"
        known = variables.get(name, "")
        if not known and kind == "?":
            raise ComposeError(f"{name}: {other}")
        return known or (other if kind == "-" else "")

    return VARIABLE.sub(value, text)


@dataclass(frozen=True)
class Compose:
    """The services of the compose file under ``root``, with ``variables`` in place of its ``.env``.

    ``places`` maps addresses and folders that exist only inside containers to those of this machine.
    """

    root: Path
    variables: Mapping[str, str]
    places: Mapping[str, str]

    def service(self, name: str) -> dict[str, Any]:
        """Return the entry of a service, without any substitution."""
        found: dict[str, Any] = yaml.safe_load((self.root / "docker-compose.yaml").read_text())["services"][name]
        return found

    def environment(self, name: str) -> dict[str, str]:
        """Return the variables of a service's process: those of its image, then its own.

        A variable without a value is passed on from ``variables``, or left out if it is not set there.
        """
        service = self.service(name)
        given = self._image(service.get("build", {}).get("target"))
        for key, value in service.get("environment", {}).items():
            if value is not None:
                given[key] = interpolated(str(value), self.variables)
            elif key in self.variables:
                given[key] = self.variables[key]
        return {key: self._here(value) for key, value in given.items()}

    def command(self, name: str) -> list[str]:
        """Return the command of a service."""
        return [self._here(interpolated(part, self.variables)) for part in self.service(name)["command"]]

    def restarts(self, name: str) -> bool:
        """Return whether the compose file restarts this service when its process ends."""
        return self.service(name).get("restart", "no") != "no"

    def _image(self, target: str | None) -> dict[str, str]:
        """Return the variables that the Dockerfile sets for one of our images. Other images set none that matter."""
        if target is None:
            return {}
        text = (self.root / "Dockerfile").read_text().replace("\\\n", " ")
        [stage] = re.findall(rf"^FROM \S+ AS {target}$(.*?)(?=^FROM |\Z)", text, re.MULTILINE | re.DOTALL)
        words = " ".join(re.findall(r"^ENV (.+)$", stage, re.MULTILINE)).split()
        return dict(word.split("=", 1) for word in words)

    def _here(self, text: str) -> str:
        for there, here in self.places.items():
            text = text.replace(there, here)
        return text
