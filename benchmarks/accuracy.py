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
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from importlib.metadata import version
from pathlib import Path

from benchmarks.accuracy_division import Division, Scores
from benchmarks.accuracy_judge import (
    STANDARDS,
    Judged,
    judge,
)
from benchmarks.accuracy_report import document, report
from benchmarks.accuracy_score import score
from benchmarks.accuracy_sites import (
    SITE_STUDY,
    compare_with_trial,
    site_divisions,
)
from benchmarks.report import machine_line, write_json
from benchmarks.shipped_study import add_data_option
from pipeline.errors import UserError

logger = logging.getLogger(__name__)


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
                write_json(arguments.out, document(judged))
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


def _prepare_workers() -> None:
    """Sets environment variables for the worker processes, unless the user did."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Gradient boosting waits for its threads by spinning: on a busy machine it takes many times
    # as long with two as with one.
    os.environ.setdefault("OMP_NUM_THREADS", "1")


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
    add_data_option(parser, "folder with the folders ist and actg175")
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
