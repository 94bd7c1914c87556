"""TFMA's fairness widget, without a server, a notebook extension or internet access.

The widget is the element `<fairness-nb-container>` of the script that TFMA's package holds for
notebooks. It runs in a frame of its own, which holds the script and the numbers of `metrics.json`,
so suppressed groups are not in it.
"""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from notebooks.opened_run import OpenedRun
from pipeline.errors import UserError
from pipeline.results.documents import MetricRecord

_SCRIPT = "static/vulcanized_tfma.js"
_PREFIX = "fairness_indicators_metrics"
_OVERALL = "Overall"
_NAMES = {
    "sensitivity": "true_positive_rate",
    "specificity": "true_negative_rate",
    "false_positive_rate": "false_positive_rate",
    "false_negative_rate": "false_negative_rate",
    "positive_predictive_value": "precision",
}
"""The widget's names of metrics, by the project's names."""

_HEIGHT = 1100


@dataclass(frozen=True)
class Widget:
    """The widget as a cell's output.

    Attributes:
        tasks: Slices by the task's title; the first task is selected.
    """

    tasks: dict[str, list[dict[str, Any]]]

    def _repr_html_(self) -> str:
        document = html.escape(_document(self.tasks), quote=True)
        return (
            f'<iframe title="TFMA\'s fairness indicators" height="{_HEIGHT}" width="100%" '
            f'sandbox="allow-scripts" srcdoc="{document}"></iframe>'
        )

    def __repr__(self) -> str:
        return "<TFMA's fairness indicators: shown as HTML>"


def widget(run: OpenedRun) -> Widget:
    """TFMA's fairness indicators of a run.

    Args:
        run: The run.

    Raises:
        UserError: The run ended before its evaluation.
    """
    result = run.result
    return Widget(
        {
            result.settings.tasks[task].title: slicing_metrics(
                [record for record in result.metrics.records if record.task == task]
            )
            for task in result.settings.tasks
            if task in result.metrics.tasks
        }
    )


def slicing_metrics(records: Sequence[MetricRecord]) -> list[dict[str, Any]]:
    """A task's metrics as the widget takes them.

    Args:
        records: Records of one task; only those of the challenger are used.

    Returns:
        A slice for each group, all subjects first: its name `sex:F` and value, and each metric that
        the widget knows with the ends of its interval.
    """
    slices: dict[str, dict[str, Any]] = {}
    for record in sorted(records, key=lambda record: bool(record.slice)):
        if record.model != "challenger":
            continue
        name = "_X_".join(record.slice) or _OVERALL
        value = "_X_".join(record.slice.values())
        full = f"{name}:{value}" if record.slice else _OVERALL
        found = slices.setdefault(
            full,
            {
                "slice": full,
                "sliceValue": value or _OVERALL,
                "metrics": {"example_count": {"doubleValue": record.subjects}},
            },
        )
        if record.metric in _NAMES and record.value is not None:
            metric = f"{_PREFIX}/{_NAMES[record.metric]}@{record.decision_threshold}"
            found["metrics"][metric] = _bounded(record)
    return list(slices.values())


def _bounded(record: MetricRecord) -> dict[str, Any]:
    if record.lower is None or record.upper is None:
        return {"doubleValue": record.value}
    return {
        "boundedValue": {
            "value": record.value,
            "lowerBound": record.lower,
            "upperBound": record.upper,
        }
    }


def _document(tasks: dict[str, list[dict[str, Any]]]) -> str:
    """The frame's document: choice of the task, the element, the script, the numbers."""
    # "</script>" inside a script would end it: TFMA's script has none, a study's text may.
    numbers = json.dumps(tasks, allow_nan=False).replace("<", "\\u003c")
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Fairness indicators</title>
<style>body {{ margin: 0; padding: 0.75rem; font: 15px system-ui, sans-serif; }}
select {{ max-width: 100%; font: inherit; }} #place {{ overflow-x: auto; }}</style>
<script>
// Without these the script asks Google for fonts and charts; neither is needed here.
window.polymerSkipLoadingFontRoboto = true;
window.google = {{charts: {{load: () => Promise.resolve(), setOnLoadCallback: () => {{}}}}}};
</script>
<script>{_tfma_script()}</script></head>
<body><label>Task <select id="task"></select></label><div id="place"></div>
<script>
const tasks = {numbers};
const choice = document.getElementById("task");
function show() {{
  const element = document.createElement("fairness-nb-container");
  element.slicingMetrics = structuredClone(tasks[choice.value]);
  document.getElementById("place").replaceChildren(element);
}}
for (const task of Object.keys(tasks)) choice.add(new Option(task));
choice.addEventListener("change", show);
show();
</script></body></html>"""


def _tfma_script() -> str:
    # Not imported: importing TFMA takes seconds, and only one of its files is needed.
    found = find_spec("tensorflow_model_analysis")
    folders = found.submodule_search_locations if found else None
    path = Path(next(iter(folders), "")) / _SCRIPT if folders else None
    if path is None or not path.exists():
        raise UserError(
            f"TFMA's package lacks {_SCRIPT}, which holds its fairness widget. Install the "
            "requirements again (make setup)."
        )
    # A frame that may not take the focus logs an error for each element that requests it.
    return path.read_text(encoding="utf-8").replace(' autofocus=""', "")
