"""The words that several rooms share."""

import pytest

from orchestration.words import few


@pytest.mark.parametrize(
    ("names", "counted", "text"),
    [
        (["a"], True, "a"),
        (["a", "b", "c"], True, "a, b, c"),
        (["a", "b", "c", "d"], True, "a, b, c and 1 more"),
        (["a", "b", "c", "d", "e"], False, "a, b, c and others"),
    ],
)
def test_the_first_names_are_shown_and_the_others_counted(names, counted, text):
    assert few(names, counted=counted) == text
