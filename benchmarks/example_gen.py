"""Rows per second of TrialExampleGen compared with TFX's CsvExampleGen.

Both read the same flat CSV file with all of its columns, divide the rows 60/20/20 and write
compressed records of tf.Examples, as executors of TFX in a process of their own with Beam's
in-memory runner. Imports are not part of the rate, but shown. The file repeats the rows of the
International Stroke Trial (`ist/IST.csv` below the folder TRIAL_DATA_DIR, 112 columns); where
that is absent it holds a synthetic trial's baseline (9 columns).
"""

from __future__ import annotations

import argparse
import itertools
import logging
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd
import yaml

from benchmarks import flat_trial, measure
from benchmarks.report import machine, machine_line, markdown_table, quietness, spread, write_json
from benchmarks.shipped_study import add_data_option
from benchmarks.trial_run import PROJECT
from pipeline.errors import UserError

logger = logging.getLogger(__name__)

_TITLES = {"csv": "CsvExampleGen", "trial": "TrialExampleGen"}
_CSV_NAME = "rows.csv"
_IST_LABEL = "OCCODE"


@dataclass(frozen=True)
class SideRun:
    """One run of one ExampleGen.

    Attributes:
        side: `csv` or `trial`.
        rows: Rows of the file.
        executor_seconds: Wall time of the executor.
        import_seconds: Wall time of the imports before it.
        cpu_seconds: Processor time of the whole process, imports and counting included.
        peak_memory_mb: Peak memory of the whole process, in MiB.
        load_before: Load average of the machine before the start.
        examples: Examples that were written.
        failure: Reason of a failure.
    """

    side: str
    rows: int
    executor_seconds: float
    import_seconds: float
    cpu_seconds: float
    peak_memory_mb: float
    load_before: float
    examples: int
    failure: str | None

    @property
    def rate(self) -> float:
        """Rows per second of the executor."""
        return self.rows / self.executor_seconds


@dataclass(frozen=True)
class Source:
    """The file that both sides read.

    Attributes:
        name: Its source.
        columns: Number of columns.
        data: Its folder.
        study: Study file that uses all of its columns.
        bytes: Its size.
    """

    name: str
    columns: int
    data: Path
    study: Path
    bytes: int


def make_source(rows: int, folder: Path, trial_data: Path) -> Source:
    """Makes the file and its study file.

    Args:
        rows: Number of rows.
        folder: Destination.
        trial_data: Folder that may hold `ist/IST.csv`.

    Returns:
        What was made.

    Raises:
        UserError: So many rows can't be made.
    """
    data, study_folder = folder / "data", folder / "study"
    data.mkdir(parents=True, exist_ok=True)
    ist = trial_data / "ist" / "IST.csv"
    if not ist.exists():
        path = flat_trial.write_flat_csv(data, rows, seed=1)
        study = flat_trial.write_study_file(study_folder)
        return _source("synthetic trial", path, study)
    path = data / _CSV_NAME
    _repeat(ist, path, rows)
    study_folder.mkdir(parents=True, exist_ok=True)
    study = study_folder / "study.yaml"
    study.write_text(yaml.safe_dump(_wide_study(ist), sort_keys=False))
    return _source("International Stroke Trial, rows repeated", path, study)


def run_side(side: str, rows: int, source: Source, out: Path, log: Path) -> SideRun:
    """Runs one ExampleGen in a process of its own.

    Args:
        side: `csv` or `trial`.
        rows: Rows of the file.
        source: The file.
        out: Folder for what it writes; emptied before and removed after.
        log: File for the output of the process.

    Returns:
        What it cost.

    Raises:
        OSError: The process can't be started.
    """
    shutil.rmtree(out, ignore_errors=True)
    measured = measure.run(
        [
            *(sys.executable, "-m", "benchmarks.example_gen_side", side),
            *("--data", str(source.data.resolve()), "--study", str(source.study.resolve())),
            *("--out", str(out.resolve())),
        ],
        log_path=log,
        cwd=PROJECT,
        env={"TF_CPP_MIN_LOG_LEVEL": "2", "CUDA_VISIBLE_DEVICES": "-1"},
    )
    shutil.rmtree(out, ignore_errors=True)
    result: dict[str, Any] = {}
    failure = None
    if measured.succeeded:
        result = measure.last_json_object(measured.output_tail)
    else:
        failure = f"ended with status {measured.returncode}: see {log}"
    if result and result["examples"] != rows:
        failure = f"wrote {result['examples']} examples of {rows} rows"
    return SideRun(
        side=side,
        rows=rows,
        executor_seconds=result.get("executor_seconds", 0.0),
        import_seconds=result.get("import_seconds", 0.0),
        cpu_seconds=measured.cpu_seconds,
        peak_memory_mb=measured.peak_memory_mb,
        load_before=measured.load_before,
        examples=result.get("examples", 0),
        failure=failure,
    )


def report(rows: int, source: Source, runs: Sequence[SideRun]) -> str:
    """Formats the runs of one number of rows as Markdown."""
    text = (
        f"\n### {rows:,} rows, {source.columns} columns, {source.bytes / 1e6:.1f} MB "
        f"({source.name})\n\n"
    )
    text += quietness(run.load_before for run in runs)
    text += "".join(
        f"Failed: {_TITLES[run.side]}: {run.failure}\n\n" for run in runs if run.failure
    )
    good = {
        side: [run for run in runs if run.side == side and run.failure is None] for side in _TITLES
    }
    if not all(good.values()):
        return text
    table_rows = []
    base = good["csv"]
    for side, title in _TITLES.items():
        mine = good[side]
        rate = median(run.rate for run in mine)
        table_rows.append(
            (
                title,
                spread([run.rate for run in mine], 0),
                f"{rate / median(run.rate for run in base):.2f}",
                spread([run.executor_seconds for run in mine], 1),
                spread([run.import_seconds for run in mine], 1),
                spread([run.peak_memory_mb for run in mine], 0),
            )
        )
    header = ("", "rows per second", "ratio", "executor, s", "imports, s", "peak memory, MiB")
    return text + markdown_table(header, table_rows)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        0 if all runs finished, 1 if one failed, 2 for an error in the arguments.
    """
    arguments = _parser().parse_args(argv)
    sys.stdout.write(f"{machine_line()}\n")
    results: dict[int, dict[str, Any]] = {}
    failed = False
    try:
        with tempfile.TemporaryDirectory(prefix="example-gen-") as scratch:
            for rows in arguments.rows:
                folder = (arguments.root or Path(scratch)) / f"rows-{rows}"
                source = make_source(rows, folder, arguments.trial_data)
                runs = _run_all(rows, source, folder, arguments.repetitions)
                failed |= any(run.failure for run in runs)
                sys.stdout.write(report(rows, source, runs))
                sys.stdout.flush()
                results[rows] = {
                    "source": source.name,
                    "columns": source.columns,
                    "bytes": source.bytes,
                    "runs": [asdict(run) for run in runs],
                }
                write_json(
                    arguments.out,
                    {"benchmark": "example_gen", "machine": machine(), "rows": results},
                )
    except UserError as error:
        logger.error("%s", error)
        return 2
    return int(failed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.example_gen",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[200_000], help="default 200000")
    parser.add_argument("--repetitions", type=int, default=1, help="runs of each side")
    add_data_option(parser, "folder with ist/IST.csv", "--trial-data")
    parser.add_argument("--root", type=Path, help="folder for data and logs; default temporary")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("runs/benchmarks/example_gen.json"),
        help="results as JSON",
    )
    return parser


def _run_all(rows: int, source: Source, folder: Path, repetitions: int) -> list[SideRun]:
    runs = []
    for repetition in range(repetitions):
        order = list(_TITLES) if repetition % 2 == 0 else list(reversed(_TITLES))
        for side in order:
            log = folder / "logs" / f"{side}-{repetition}.log"
            done = run_side(side, rows, source, folder / side, log)
            outcome = done.failure or f"{done.rate:.0f} rows per second"
            logger.info("%d rows, %s: %s", rows, _TITLES[side], outcome)
            runs.append(done)
    return runs


def _source(name: str, path: Path, study: Path) -> Source:
    with path.open(encoding="utf-8") as stream:
        columns = len(stream.readline().split(","))
    return Source(name, columns, path.parent, study, path.stat().st_size)


def _repeat(original: Path, path: Path, rows: int) -> None:
    with original.open(encoding="utf-8") as stream:
        header, *lines = stream.readlines()
    with path.open("w", encoding="utf-8") as stream:
        stream.write(header)
        stream.writelines(itertools.islice(itertools.cycle(lines), rows))


def _wide_study(ist: Path) -> dict[str, Any]:
    """A study file that reads every column: the label's, and all others as features.

    It is for measuring reading only: as a study it would be wrong, since most of these columns are
    known only after randomisation.
    """
    table = pd.read_csv(ist, dtype=str, keep_default_na=False)
    kinds = {str(name): _kind(table[name]) for name in table.columns}
    return {
        "study": "wide_benchmark",
        "title": "International Stroke Trial with every column",
        "datasets": {
            "ist": {
                "file": _CSV_NAME,
                "format": "csv",
                "rows": "one_per_subject",
                "columns": {
                    name: {
                        "type": "number" if kind == "number" else "text",
                        "known": "after" if name == _IST_LABEL else "baseline",
                    }
                    for name, kind in kinds.items()
                },
            }
        },
        "subject": {"dataset": "ist", "row_number": True},
        "features": {
            re.sub(r"\W", "_", name): {"kind": kind, "column": name}
            for name, kind in kinds.items()
            if name != _IST_LABEL
        },
        "tasks": {
            "dead_or_dependent": {
                "kind": "outcome",
                "title": "Dead or dependent at 6 months",
                "state": {"positive": {"column": _IST_LABEL, "in": [1, 2]}},
            }
        },
    }


def _kind(column: pd.Series[Any]) -> str:
    filled = column[column != ""]
    return "number" if pd.to_numeric(filled, errors="coerce").notna().all() else "category"


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    sys.exit(main())
