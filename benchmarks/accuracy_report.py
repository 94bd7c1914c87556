"""Tables and the JSON document of the accuracy benchmark."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from benchmarks.accuracy_division import OURS, SCIKIT_LEARN
from benchmarks.accuracy_judge import (
    LEAST_OVER_TRIAL,
    MOST_ECE,
    MOST_SERVED_DIFFERENCE,
    SLOPES,
    TITLES,
    Judged,
    Metric,
)
from benchmarks.accuracy_sites import (
    TRIALS_OWN,
    SiteComparison,
)
from benchmarks.accuracy_statistics import (
    Difference,
)
from benchmarks.report import machine, markdown_table
from pipeline.version import code_version


def report(judged: Judged) -> str:
    """The study's tables in Markdown."""
    parts = [f"## {judged.study}: {judged.divisions} divisions\n\n"]
    for metric, title in TITLES.items():
        parts += [f"{title} on test, mean over the divisions\n\n", _metric_table(judged, metric)]
    parts += ["Calibration on the test splits taken together\n\n", _calibration_table(judged)]
    if judged.sites:
        parts += [
            f"Hospitals held out, {len(judged.sites.folds)} folds: ROC AUC of dead or dependent "
            f"beside the trial's own {TRIALS_OWN}\n\n",
            _site_table(judged.sites, judged.sites_met),
        ]
    served = "met" if judged.served_met else "NOT MET"
    parts.append(
        f"Saved model on raw examples: differs by at most {judged.served_difference:.1e} in "
        f"probability (limit {MOST_SERVED_DIFFERENCE:.0e}): {served}\n"
    )
    return "\n".join(part.rstrip("\n") + "\n" for part in parts) + "\n"


def _metric_table(judged: Judged, metric: Metric) -> str:
    sign = "≥" if metric == "auc" else "≤"
    rows = [
        (
            found.task,
            f"{found.subjects:.0f}",
            f"{found.events:.0f}",
            *(f"{found.means[model]:.4f}" for model in (OURS, *SCIKIT_LEARN)),
            found.best,
            _interval(found.difference),
            f"{sign} {found.limit:+.3f}",
            _verdict(found.met),
        )
        for found in judged.comparisons
        if found.metric == metric
    ]
    header = ("task", "subjects", "events", OURS, *SCIKIT_LEARN)
    return markdown_table((*header, "best", "ours - best (95 %)", "asked", "verdict"), rows)


def _calibration_table(judged: Judged) -> str:
    header = ["task", "model", "predictions", "events", "slope", "intercept", "ECE"]
    if judged.calibration_met:
        header.append(f"slope {SLOPES[0]} to {SLOPES[1]}, ECE ≤ {MOST_ECE}")
    rows = []
    for task, checks in judged.calibration.items():
        for model, check in checks.items():
            row = [task, model, check.subjects, check.events]
            row += [f"{check.slope:.3f}", f"{check.intercept:+.3f}", f"{check.ece:.4f}"]
            if judged.calibration_met:
                row.append(_verdict(judged.calibration_met[task]) if model == OURS else None)
            rows.append(row)
    return markdown_table(header, rows)


def _site_table(sites: SiteComparison, met: bool) -> str:
    subjects = sum(fold.subjects for fold in sites.folds)
    events = sum(fold.events for fold in sites.folds)
    rows = [
        (
            model,
            subjects,
            events,
            f"{mean:.4f}",
            _interval(sites.differences[model]) if model in sites.differences else None,
            _verdict(met) if model == OURS else None,
        )
        for model, mean in sites.auc.items()
    ]
    header = ("model", "subjects", "events", "ROC AUC", f"minus {TRIALS_OWN} (95 %)")
    return markdown_table((*header, f"≥ {LEAST_OVER_TRIAL:+.3f}"), rows)


def _interval(difference: Difference) -> str:
    if difference.lower is None or difference.upper is None:
        return f"{difference.mean:+.4f}"
    return f"{difference.mean:+.4f} ({difference.lower:+.4f} to {difference.upper:+.4f})"


def _verdict(met: bool) -> str:
    return "met" if met else "NOT MET"


def document(judged: Iterable[Judged]) -> dict[str, Any]:
    about = machine()
    about["versions"]["scikit-learn"] = version("scikit-learn")
    return {
        "benchmark": "accuracy",
        "code_version": code_version(),
        "machine": about,
        "studies": [
            {
                **asdict(study),
                "served_met": study.served_met,
                "sites_met": study.sites_met,
                "met": study.met,
            }
            for study in judged
        ],
    }
