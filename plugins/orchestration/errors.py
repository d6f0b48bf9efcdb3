"""The base of every error that a person can put right."""

from __future__ import annotations


class UserError(Exception):
    """Something outside the code is wrong. The text says what; ``next_step`` says what to do, or is empty."""

    next_step = ""

    def __init__(self, *args: object, next_step: str | None = None) -> None:
        super().__init__(*args)
        if next_step is not None:
            self.next_step = next_step
