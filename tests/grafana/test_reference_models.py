"""Reference models on the board of model quality and on its page."""

from datetime import UTC, datetime
from typing import Any

import pytest

from grafana.queries import model_quality
from pipeline.store.engine import store_engine
from tests.pipeline.store.hand_made_store import fill

ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture
def ask(sqlite: Any) -> Any:
    fill(sqlite)

    def rows(run: str) -> Any:
        with store_engine(sqlite) as engine, engine.connect() as connection:
            return model_quality.REFERENCES.rows(connection, {"run": run}, ALWAYS)

    return rows


def test_the_model_comes_first_and_reference_models_with_the_difference_to_them(ask: Any) -> None:
    found = [(row["model"], row["auc"], row["difference"]) for row in ask("r2")]

    assert found == [
        ("this model", 0.8, None),
        ("Ridge logistic regression", 0.71, 0.01),
        ("Base rate of the arm", 0.52, 0.2),
    ]


def test_the_difference_is_that_of_all_subjects_with_its_interval(ask: Any) -> None:
    (ridge,) = (row for row in ask("r2") if row["model"] == "Ridge logistic regression")

    assert (ridge["brier"], ridge["difference_lower"], ridge["difference_upper"]) == (
        0.14,
        -0.05,
        0.07,
    )


def test_a_run_without_reference_models_has_no_rows(ask: Any) -> None:
    assert len(ask("r2")) == 3
    assert ask("r1") == []
