"""The questions to BigQuery that the documentation of the tables asks."""

import pytest

from support.generators import generator

schemas = generator("schemas")


@pytest.mark.parametrize("question", schemas.EXAMPLES)
def test_the_questions_to_bigquery_can_be_asked(question, warehouse):
    assert warehouse.query(schemas.EXAMPLES[question]) is not None
