"""Accuracy on two real trials, compared with scikit-learn's models on the same subjects.

Each division puts 60 % of the subjects into train, 20 % into eval and 20 % into test. Every
model is fitted on train alone; eval stops this project's training early and calibrates it; test
is predicted once, after that. Nothing is tuned on test, here or for scikit-learn's models: this
project's settings are those of the shipped study files, scikit-learn's are its defaults.

The path is the pipeline's own: TrialExampleGen's Beam graph, Transform's function in Beam, the
Trainer's fit, and for the first division also the saved model's signature on raw examples.

The difference to the best of scikit-learn's models (by its mean over the divisions) is judged by
its mean; its 95 % interval allows for divisions that share subjects. Calibration is judged on the
test splits of all divisions taken together.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

import numpy as np

from benchmarks.accuracy_division import OURS, SCIKIT_LEARN, Division, Scores
from benchmarks.accuracy_score import score
from benchmarks.accuracy_sites import (
    SITE_STUDY,
    TRIALS_OWN,
    SiteComparison,
    compare_with_trial,
    ours_minus_trial,
    site_divisions,
)
from benchmarks.accuracy_statistics import (
    CalibrationCheck,
    Difference,
    auc,
    best_model,
    brier,
    check_calibration,
    paired_difference,
)
from benchmarks.report import machine, machine_line, markdown_table, write_json
from pipeline.errors import UserError
from pipeline.version import PROJECT, code_version

logger = logging.getLogger(__name__)

Metric = Literal["auc", "brier"]
_TITLES: dict[Metric, str] = {"auc": "ROC AUC", "brier": "Brier score"}
_MEASURES = {"auc": auc, "brier": brier}

SLOPES = (0.9, 1.1)
MOST_ECE = 0.015
MOST_BRIER_DIFFERENCE = 0.002
LEAST_OVER_TRIAL = 0.005
MOST_SERVED_DIFFERENCE = 1e-5
"""Probabilities of the saved model are float32."""


@dataclass(frozen=True)
class Standard:
    """Criteria of a study.

    Attributes:
        divisions: Seeds of the split, from 1.
        least_auc_difference: Smallest difference of the AUC to the best of scikit-learn's models.
        calibration: Whether calibration slope and error are judged.
    """

    divisions: int
    least_auc_difference: float
    calibration: bool


STANDARDS = {
    "ist": Standard(divisions=5, least_auc_difference=-0.005, calibration=True),
    "actg175": Standard(divisions=20, least_auc_difference=-0.01, calibration=False),
}


@dataclass(frozen=True)
class Comparison:
    """One metric of one task.

    Attributes:
        task: Name of the task.
        metric: The metric.
        subjects: Known labels in a test split, mean over the divisions.
        events: Positive ones among them, mean over the divisions.
        values: Per model, the metric in each division.
        means: Per model, its mean.
        best: The best of scikit-learn's models by its mean.
        difference: Difference of this project's model to it.
        limit: Limit of the difference: at least for AUC, at most for Brier.
        met: Whether it is met.
    """

    task: str
    metric: Metric
    subjects: float
    events: float
    values: dict[str, list[float]]
    means: dict[str, float]
    best: str
    difference: Difference
    limit: float
    met: bool


@dataclass(frozen=True)
class Judged:
    """Results of one study.

    Attributes:
        study: Its name.
        divisions: Number of divisions.
        comparisons: All tasks and metrics.
        calibration: Per task and model, over the test splits of all divisions.
        calibration_met: Per task, whether calibration meets the criteria; empty without criteria.
        served_difference: Largest distance of the saved model's probabilities.
        sites: Hospitals held out.
        runs: Sizes, chosen epoch and seconds of each division.
    """

    study: str
    divisions: int
    comparisons: tuple[Comparison, ...]
    calibration: dict[str, dict[str, CalibrationCheck]]
    calibration_met: dict[str, bool]
    served_difference: float
    sites: SiteComparison | None
    runs: tuple[dict[str, Any], ...]

    @property
    def served_met(self) -> bool:
        """Whether the saved model's predictions equal those of the fit."""
        return self.served_difference <= MOST_SERVED_DIFFERENCE

    @property
    def sites_met(self) -> bool:
        """Whether the model is better than the trial's own prediction, if that is a criterion."""
        return self.sites is None or ours_minus_trial(self.sites).mean >= LEAST_OVER_TRIAL

    @property
    def met(self) -> bool:
        """Whether every criterion is met."""
        comparisons = all(comparison.met for comparison in self.comparisons)
        calibrated = all(self.calibration_met.values())
        return comparisons and calibrated and self.served_met and self.sites_met


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        0 if every criterion is met, 1 if one is not, 2 for a mistake in arguments or data.
    """
    arguments = _parser().parse_args(argv)
    _prepare_workers()
    sys.stdout.write(f"{machine_line()}, scikit-learn {version('scikit-learn')}\n\n")
    judged: list[Judged] = []
    try:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(arguments.jobs, mp_context=context) as pool:
            for study in arguments.studies:
                judged.append(run_study(study, arguments.data, arguments.seeds, pool))
                sys.stdout.write(report(judged[-1]))
                sys.stdout.flush()
                # After every study, so that its results are kept if the next one fails.
                write_json(arguments.out, _document(judged))
    except UserError as error:
        logger.error("%s", error)
        return 2
    return int(not all(study.met for study in judged))


def run_study(study: str, data: Path, seeds: int | None, pool: ProcessPoolExecutor) -> Judged:
    """Runs all divisions of a study and judges them.

    Args:
        study: One of `STANDARDS`.
        data: Folder with a folder of each trial.
        seeds: Number of divisions; None for the study's own.
        pool: Executor of the divisions.

    Returns:
        The judgement.

    Raises:
        UserError: The data are absent or can't be used.
    """
    folder = data / study
    if not folder.is_dir():
        raise UserError(
            f"The data folder {folder} does not exist. Give the folder that has it with --data or "
            "TRIAL_DATA_DIR."
        )
    number = seeds or STANDARDS[study].divisions
    divisions = [
        Division(study, folder.resolve(), seed, check_served=seed == 1)
        for seed in range(1, number + 1)
    ]
    by_site = site_divisions(folder.resolve(), seed=1) if study == SITE_STUDY else []
    scored = list(_scored([*divisions, *by_site], pool))
    sites = compare_with_trial(folder, scored[number:]) if by_site else None
    return judge(study, scored[:number], sites)


def judge(study: str, scored: Sequence[Scores], sites: SiteComparison | None) -> Judged:
    """Compares the scores of a study with its standard.

    Args:
        study: One of `STANDARDS`.
        scored: Scores of its divisions.
        sites: Of hospitals held out.

    Returns:
        The judgement.
    """
    standard = STANDARDS[study]
    tasks = scored[0].tasks
    comparisons = tuple(
        _compare(task, metric, scored, standard.least_auc_difference)
        for metric in _TITLES
        for task in tasks
    )
    calibration = {task: _pooled_calibration(task, scored) for task in tasks}
    judged = tasks if standard.calibration else ()
    return Judged(
        study=study,
        divisions=len(scored),
        comparisons=comparisons,
        calibration=calibration,
        calibration_met={task: _is_calibrated(calibration[task][OURS]) for task in judged},
        served_difference=max(
            found.served_difference for found in scored if found.served_difference is not None
        ),
        sites=sites,
        runs=tuple(_run(found) for found in scored),
    )


def _prepare_workers() -> None:
    """Sets environment variables for the worker processes, unless the user did."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Gradient boosting waits for its threads by spinning: on a busy machine it takes many times
    # as long with two as with one.
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def report(judged: Judged) -> str:
    """The study's tables in Markdown."""
    parts = [f"## {judged.study}: {judged.divisions} divisions\n\n"]
    for metric, title in _TITLES.items():
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


def _scored(divisions: Sequence[Division], pool: ProcessPoolExecutor) -> Iterator[Scores]:
    """Scores in the order of the divisions; logs each when it is done."""
    started = time.monotonic()
    futures = {pool.submit(score, division): division for division in divisions}
    try:
        for done, future in enumerate(as_completed(futures), start=1):
            future.result()
            logger.info(
                "%s: %d of %d divisions, %.0f s",
                futures[future].study,
                done,
                len(divisions),
                time.monotonic() - started,
            )
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    yield from (future.result() for future in futures)


def _compare(
    task: str, metric: Metric, scored: Sequence[Scores], least_auc_difference: float
) -> Comparison:
    measure = _MEASURES[metric]
    values = {
        model: [measure(*found.of_task(task, model)) for found in scored]
        for model in (OURS, *SCIKIT_LEARN)
    }
    means = {model: fmean(found) for model, found in values.items()}
    best = best_model(
        {model: means[model] for model in SCIKIT_LEARN}, higher_is_better=metric == "auc"
    )
    ratio = fmean(found.split_sizes["test"] / found.split_sizes["train"] for found in scored)
    difference = paired_difference(values[OURS], values[best], ratio)
    limit = least_auc_difference if metric == "auc" else MOST_BRIER_DIFFERENCE
    labels = [found.of_task(task, OURS)[0] for found in scored]
    return Comparison(
        task=task,
        metric=metric,
        subjects=fmean(len(known) for known in labels),
        events=fmean(float(known.sum()) for known in labels),
        values=values,
        means=means,
        best=best,
        difference=difference,
        limit=limit,
        met=difference.mean >= limit if metric == "auc" else difference.mean <= limit,
    )


def _pooled_calibration(task: str, scored: Sequence[Scores]) -> dict[str, CalibrationCheck]:
    found: dict[str, CalibrationCheck] = {}
    for model in scored[0].probabilities:
        labels, probabilities = zip(*(one.of_task(task, model) for one in scored), strict=True)
        found[model] = check_calibration(np.concatenate(labels), np.concatenate(probabilities))
    return found


def _is_calibrated(check: CalibrationCheck) -> bool:
    return SLOPES[0] <= check.slope <= SLOPES[1] and check.ece <= MOST_ECE


def _run(scores: Scores) -> dict[str, Any]:
    return {
        "seed": scores.division.seed,
        "split_sizes": scores.split_sizes,
        "best_epoch": scores.best_epoch,
        "seconds": scores.seconds,
    }


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


def _document(judged: Iterable[Judged]) -> dict[str, Any]:
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.accuracy",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--studies", nargs="+", choices=STANDARDS, default=list(STANDARDS), help="default both"
    )
    parser.add_argument(
        "--seeds", type=_positive, help="divisions of each study; default 5 for ist, 20 for actg175"
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get("TRIAL_DATA_DIR", PROJECT / ".." / "shared" / "data")),
        help="folder with the folders ist and actg175; default TRIAL_DATA_DIR",
    )
    parser.add_argument("--jobs", type=_positive, default=1, help="divisions at a time; default 1")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/benchmarks/accuracy.json"), help="results as JSON"
    )
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is less than 1")
    return value


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    sys.exit(main())
