import copy
from typing import Any

from components.evaluator.settings import EvaluatorSettings
from pipeline.study.load import parse_study

STUDY = {
    "study": "T1",
    "title": "A trial",
    "datasets": {
        "adsl": {
            "file": "adsl.xpt",
            "format": "xpt",
            "rows": "one_per_subject",
            "columns": {"AGE": {"known": "baseline"}, "OUT": {"missing": [9]}},
        },
        "adae": {"file": "adae.xpt", "format": "xpt", "rows": "many_per_subject", "day": "ASTDY"},
    },
    "subject": {"dataset": "adsl", "column": "USUBJID"},
    "features": {"AGE": {"kind": "number"}},
    "tasks": {
        "response": {
            "kind": "response",
            "title": "Response",
            "state": {"positive": {"column": "OUT", "in": [1]}},
            "decision_thresholds": [0.5],
        },
        "ae": {
            "kind": "adverse_event",
            "title": "Event",
            "event": {"dataset": "adae", "where": {"column": "AESER", "in": ["Y"]}},
            "horizon": 90,
        },
    },
    "slicing": {
        "by": {"sex": {"column": "SEX"}, "race": {"column": "RACE"}},
        "pairs": [["sex", "race"]],
        "smallest_group": 25,
    },
    "thresholds": [
        {"metric": "auc", "at_least": 0.65, "scope": "every_slice", "holds": "bound"},
        {"metric": "sensitivity", "at_least": 0.8, "decision_threshold": 0.2, "tasks": ["ae"]},
    ],
    "split": {"seed": 4},
}


def study(change: Any = None) -> Any:
    content = copy.deepcopy(STUDY)
    if change:
        change(content)
    return parse_study(content, "study.yaml")


def test_the_settings_read_back_are_what_the_study_says() -> None:
    settings = EvaluatorSettings.from_json(EvaluatorSettings.of(study()).to_json())

    assert settings.expanded_slicings == ((), ("sex",), ("race",), ("sex", "race"))
    assert settings.smallest_group == 25
    assert settings.split_seed == 4
    assert settings.thresholds == study().thresholds


def test_a_demanded_decision_threshold_is_computed_for_its_tasks() -> None:
    settings = EvaluatorSettings.from_json(EvaluatorSettings.of(study()).to_json())

    assert settings.tasks == {"response": (0.5,), "ae": (0.2, 0.5)}
