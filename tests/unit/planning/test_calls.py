"""A list divided into batches."""

import pytest

from orchestration.planning.calls import divided


@pytest.mark.parametrize(
    ("count", "size", "lengths"),
    [(10, 5, [5, 5]), (11, 5, [5, 5, 1]), (3, 50, [3]), (1, 1, [1]), (10_000, 100, [100] * 100)],
)
def test_a_list_is_divided_in_order_and_completely(count, size, lengths):
    lists = divided(range(count), size)
    assert [len(one) for one in lists] == lengths
    assert [item for one in lists for item in one] == list(range(count))
