"""The example queries of the page about the BigQuery tables."""

import pytest

from support.generators import generator

schemas = generator("schemas")


@pytest.mark.parametrize("question", schemas.EXAMPLES)
def test_every_documented_query_runs(question, warehouse):
    assert warehouse.query(schemas.EXAMPLES[question]) is not None
