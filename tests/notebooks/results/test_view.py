"""What the results notebook shows of a run's metrics and curves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from notebooks.opened_run import open_run
from notebooks.results.view import ResultsView
from pipeline.results.evaluation_plan import EvaluationPlan
from tests.components.run_page.hand_made_run import BY_SITE, CROSS_FIT
from tests.html_reading import read_html
from tests.notebooks.hand_made_groups import RUN, write_run

BETWEEN = {
    "task": "death",
    "metric": "auc",
    "groups": 4,
    "left_out": 0,
    "lowest": 0.61,
    "highest": 0.78,
    "mean": 0.7,
    "lower": 0.65,
    "upper": 0.75,
    "new_lower": 0.52,
    "new_upper": 0.84,
}


def view(root: Path, plan: EvaluationPlan | None = None, **metrics: Any) -> ResultsView:
    """The view of a run whose metrics have these contents, too."""
    write_run(root)
    path = root / "documents" / "metrics.json"
    evaluation = {"evaluation": plan.model_dump(mode="json")} if plan else {}
    path.write_text(json.dumps(json.loads(path.read_text()) | evaluation | metrics))
    return ResultsView(open_run(RUN, root))


def text(shown: Any) -> str:
    return read_html(shown._repr_html_()).text


def test_the_decision_has_the_spread_between_groups_and_where_a_new_one_would_lie(
    tmp_path: Path,
) -> None:
    found = text(view(tmp_path, BY_SITE, between_groups=[BETWEEN]).decision())

    assert "In groups by site that the models never saw" in found
    for shown in ("0.610 to 0.780", "0.700 (0.650 to 0.750)", "0.520 to 0.840"):
        assert shown in found


def test_a_run_that_left_no_groups_out_has_no_such_table(tmp_path: Path) -> None:
    assert "that the models never saw" not in text(view(tmp_path).decision())


def test_with_too_few_repeats_it_says_why_stability_is_not_shown(tmp_path: Path) -> None:
    once = CROSS_FIT.model_copy(update={"repeats": 1})

    assert "3 repeats or more; this run has 1." in text(view(tmp_path, once).probabilities())


def test_under_a_split_it_says_that_one_split_does_not_show_stability(tmp_path: Path) -> None:
    assert "one split does not show it" in text(view(tmp_path).probabilities())
