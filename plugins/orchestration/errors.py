"""The base class of the errors that a user or operator can fix."""

from __future__ import annotations


class UserError(Exception):
    """Input, configuration or another service is wrong. The text says what is wrong, ``next_step`` what to do."""

    next_step = ""

    def __init__(self, *args: object, next_step: str | None = None) -> None:
        super().__init__(*args)
        if next_step is not None:
            self.next_step = next_step
