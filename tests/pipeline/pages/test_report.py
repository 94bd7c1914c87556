"""What the report says first of each task."""

from __future__ import annotations

from pipeline.html.page import render
from pipeline.pages.report import report_page
from pipeline.results.documents import Verdict
from pipeline.study.load import load_study
from pipeline.version import PROJECT
from tests.components.model_card.test_executor import card_of


def test_a_task_that_is_not_served_and_a_simpler_model_are_named_in_short() -> None:
    study = load_study(PROJECT / "schema" / "synthetic" / "study.yaml")
    verdict = Verdict.model_validate(
        {
            "blessed": True,
            "judged": True,
            "compared": 7,
            "comparisons": [],
            "reasons": [],
            "not_judged": [],
            "notes": [
                {
                    "reason": "simpler_model",
                    "task": "worsening",
                    "versus": "ridge",
                    "limit": 0.005,
                    "estimate": {"value": 0.001, "lower": -0.02, "upper": 0.02},
                    "values": {"reference": 0.71, "own": 0.711},
                }
            ],
            "tasks": {"worsening": {"verdict": "not_judged", "reasons": ["too few events"]}},
        }
    )
    html = render(report_page(card_of(study, verdict=verdict), None, "run"))

    in_short = html[html.index("How well the model predicts, in words") :]
    assert "It is not judged and not served. Ridge logistic regression predicts as well" in in_short
