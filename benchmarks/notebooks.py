"""Seconds that the fairness notebook takes on a run with many groups of subjects.

The synthetic trial is run with a study file that names ten characteristics and fourteen pairs of
them. The notebook is then executed by the command that a person types, start of its kernel and
writing of both files included.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from benchmarks import measure
from benchmarks.report import machine, machine_line, markdown_table, spread, write_json
from benchmarks.trial_run import PROJECT, make_synthetic_trial, run_trial
from notebooks.execute import OUTPUTS
from pipeline.results.documents import Metrics, read_result

logger = logging.getLogger(__name__)
_LIMIT_SECONDS = 60.0
_FEWEST_GROUPS = 200
_NOTEBOOK = "fairness"
_GROUPS: dict[str, dict[str, Any]] = {
    "sex": {"column": "SEX"},
    "race": {"column": "RACE"},
    "arm": {"of": "arm"},
    "smoker": {"column": "SMOKFL"},
    "diabetes": {"column": "DIABFL"},
    "age": {"column": "AGE", "bands": [50, 60, 65, 70, 75]},
    "bmi": {"column": "BMIBL", "bands": [22, 25, 28, 32]},
    "severity": {"column": "SEVBL", "bands": [30, 45, 60]},
    "height": {"column": "HEIGHTBL", "bands": [160, 170, 180]},
    "weight": {"column": "WEIGHTBL", "bands": [60, 75, 90]},
}
_PAIRS = (
    ("sex", "age"),
    ("sex", "race"),
    ("sex", "arm"),
    ("arm", "age"),
    ("arm", "bmi"),
    ("arm", "severity"),
    ("age", "bmi"),
    ("age", "severity"),
    ("age", "race"),
    ("age", "weight"),
    ("bmi", "severity"),
    ("height", "weight"),
    ("severity", "weight"),
    ("severity", "height"),
)


@dataclass(frozen=True)
class Executions:
    """What it took to execute the notebook.

    Attributes:
        groups: Groups that the run shows for some task, the overall group excluded.
        records: Numbers in `metrics.json`.
        seconds: Wall time of each execution.
        peak_memory_mb: Highest memory of each execution, in MiB.
        page_mb: Size of the HTML file, in MiB.
    """

    groups: int
    records: int
    seconds: list[float]
    peak_memory_mb: list[float]
    page_mb: float


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        0 if the limit is kept on enough groups, 1 if not, 2 where a run fails.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    arguments = _parser().parse_args(argv)
    sys.stdout.write(f"{machine_line()}\n\n")
    with tempfile.TemporaryDirectory(prefix="notebooks-") as temporary:
        root = arguments.root or Path(temporary) / "runs"
        if not any(root.glob("*/records/*/run.json")) and not _make_run(root, arguments.subjects):
            return 2
        found = _execute(root, arguments.repetitions)
    if found is None:
        return 2
    sys.stdout.write(report(found))
    write_json(
        arguments.out,
        {"benchmark": "notebooks", "machine": machine(), "notebook": _NOTEBOOK, **asdict(found)},
    )
    return int(median(found.seconds) > _LIMIT_SECONDS or found.groups < _FEWEST_GROUPS)


def report(found: Executions) -> str:
    """The result as Markdown."""
    return markdown_table(
        ("Notebook", "Groups", "Numbers", "Seconds", "Peak memory, MiB", "HTML, MiB"),
        [
            (
                _NOTEBOOK,
                found.groups,
                found.records,
                spread(found.seconds, 1),
                spread(found.peak_memory_mb, 0),
                f"{found.page_mb:.1f}",
            )
        ],
    )


def _make_run(root: Path, subjects: int) -> bool:
    """Runs the synthetic trial with many groups below `root`; false if that fails."""
    data = root / "data"
    made = make_synthetic_trial(subjects, data, log_path=root / "synthetic.log")
    if not made.succeeded:
        logger.error("The synthetic trial could not be made:\n%s", made.output_tail)
        return False
    run = run_trial(
        study=str(_study_file(root / "study")),
        data=data,
        root=root,
        log_path=root / "run.log",
        options=("--steps", "100"),
    )
    if run.failure():
        logger.error("The run failed: %s (%s)", run.failure(), root / "run.log")
    return run.failure() is None


def _study_file(folder: Path) -> Path:
    """The synthetic study with many groups, which no threshold concerns."""
    shipped = PROJECT / "schema" / "synthetic"
    content = yaml.safe_load((shipped / "study.yaml").read_text(encoding="utf-8"))
    content["slicing"] = {
        "by": _GROUPS,
        "pairs": [list(pair) for pair in _PAIRS],
        "smallest_group": 20,
    }
    content["thresholds"] = []
    # The curated schema does not know the columns of these groups.
    content.setdefault("gate", {})["anomalies"] = "warn"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "schema.pbtxt").write_bytes((shipped / "schema.pbtxt").read_bytes())
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


def _execute(root: Path, repetitions: int) -> Executions | None:
    taken = []
    for _ in range(repetitions):
        one = measure.run(
            [
                *(sys.executable, "-m", "notebooks", "--root", str(root.resolve())),
                *("--only", _NOTEBOOK),
            ],
            log_path=root / "notebook.log",
            cwd=PROJECT,
        )
        if not one.succeeded:
            logger.error("The notebook failed:\n%s", one.output_tail)
            return None
        taken.append(one)
    (records,) = (path.parent for path in root.glob("*/records/*/run.json"))
    (verdict,) = root.glob("*/artifacts/TrialEvaluator/verdict/*")
    metrics = read_result(Metrics, str(verdict))
    page = records / OUTPUTS / f"{_NOTEBOOK}.html"
    return Executions(
        groups=len({record.group for record in metrics.records if record.slice}),
        records=len(metrics.records),
        seconds=[one.seconds for one in taken],
        peak_memory_mb=[one.peak_memory_mb for one in taken],
        page_mb=page.stat().st_size / 2**20,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.notebooks", description=__doc__)
    parser.add_argument("--subjects", type=int, default=20_000, help="subjects of the trial")
    parser.add_argument("--repetitions", type=int, default=3, help="executions of the notebook")
    parser.add_argument(
        "--root", type=Path, help="folder of a run that is there, or to make it in and keep it"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("runs/benchmarks/notebooks.json"), help="file of results"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
