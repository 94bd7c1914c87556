"""Results of the same run under two locks: are examples equal, how far apart are metrics?

Both roots hold one run of the study, made from the same data with the same `TRIAL_SUBJECT_KEY`,
seed and steps, for example one of them below the root of another Debian (`benchmarks/locks.py`):

    trial run --study ist --data ist --root /tmp/here
    python -m benchmarks.lock_differences /tmp/here ROOT/tmp/there --study ist

For each metric the largest difference of a value of the model on all subjects is written, and that
of any value or bound of an interval, of any task, group, threshold and model. `tests/two_locks.py`
has what tests allow.
"""

from __future__ import annotations

import argparse
import gzip
import json
import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.report import markdown_table
from pipeline.errors import UserError

logger = logging.getLogger(__name__)

_STEP_DIGITS = 7
_IDENTITY = ("task", "slice", "metric", "decision_threshold", "model", "versus")
_NUMBERS = ("value", "lower", "upper")

Records = Mapping[tuple[str, ...], Mapping[str, Any]]
"""Records of metrics.json by what they are of."""


@dataclass(frozen=True)
class Apart:
    """How far a metric is apart.

    Attributes:
        numbers: How many values and bounds were compared.
        alone: How many only one of the runs has: a metric of very few predictions may not exist.
        largest: The largest difference, without numbers that are shown in steps.
        overall: The largest difference of a value of the model on all subjects.
        stepped: How many of the numbers are shown in steps, see `pipeline.results.resolution`.
        moved: How many of these lie on another step.
    """

    numbers: int = 0
    alone: int = 0
    largest: float = 0.0
    overall: float = 0.0
    stepped: int = 0
    moved: int = 0


def read_examples(study: Path) -> dict[str, bytes]:
    """Examples of each split, unpacked, in the order of their files.

    Args:
        study: A study's folder below the root of one run.

    Raises:
        UserError: There are none, or those of several runs.
    """
    folders = sorted(_only(study, "TrialExampleGen/examples/*").glob("Split-*"))
    return {
        folder.name: b"".join(
            gzip.decompress(file.read_bytes()) for file in sorted(folder.glob("*.gz"))
        )
        for folder in folders
    }


def read_records(study: Path) -> Records:
    """Records of metrics.json.

    Args:
        study: A study's folder below the root of one run.

    Raises:
        UserError: There are none, or those of several runs.
    """
    document = _only(study, "TrialEvaluator/verdict/*/metrics.json")
    records = json.loads(document.read_text("utf-8"))["records"]
    return {
        tuple(json.dumps(record[name], sort_keys=True) for name in _IDENTITY): record
        for record in records
    }


def differences(ours: Records, theirs: Records) -> dict[str, Apart]:
    """Compares all metrics.

    Args:
        ours: Records under one lock.
        theirs: Records under the other.

    Returns:
        By metric.

    Raises:
        UserError: One side has a metric that the other lacks.
    """
    if set(ours) != set(theirs):
        raise UserError(f"{len(set(ours) ^ set(theirs))} metrics are in one of the runs alone.")
    found: dict[str, Apart] = {}
    for key, record in ours.items():
        before = found.get(record["metric"], Apart())
        pairs = [(record[name], theirs[key][name]) for name in _NUMBERS]
        numbers = [(a, b) for a, b in pairs if a is not None and b is not None]
        steps = [(a, b) for a, b in numbers if record["slice"] and is_stepped(a, b)]
        apart = [abs(a - b) for a, b in numbers if (a, b) not in steps]
        is_overall = not record["slice"] and record["model"] == "challenger"
        found[record["metric"]] = Apart(
            before.numbers + len(numbers),
            before.alone + sum((a is None) != (b is None) for a, b in pairs),
            max([before.largest, *apart]),
            max([before.overall, *apart[:1]]) if is_overall else before.overall,
            before.stepped + len(steps),
            before.moved + sum(a != b for a, b in steps),
        )
    return found


def is_stepped(one: float, other: float) -> bool:
    """Whether two numbers are shown in steps: one on another step differs by a whole one.

    Examples:
        >>> is_stepped(0.705, 0.71), is_stepped(0.7050000001, 0.71)
        (True, False)
    """
    return all(number == round(number, _STEP_DIGITS) for number in (one, other))


def main(argv: Sequence[str] | None = None) -> int:
    """Compares two runs.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        0 if the examples are equal, 1 if not, 2 for what the user has to change.
    """
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.lock_differences",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("ours", type=Path, help="root of the run under one lock")
    parser.add_argument("theirs", type=Path, help="root of the run under the other lock")
    parser.add_argument("--study", default="synthetic", help="name of the study")
    arguments = parser.parse_args(argv)
    ours, theirs = (root / arguments.study for root in (arguments.ours, arguments.theirs))
    try:
        is_equal = read_examples(ours) == read_examples(theirs)
        found = differences(read_records(ours), read_records(theirs))
    except UserError as error:
        logger.error("%s", error)
        return 2
    rows = [
        (
            name,
            apart.numbers,
            apart.alone,
            f"{apart.overall:.1e}",
            f"{apart.largest:.1e}",
            f"{apart.moved} of {apart.stepped}",
        )
        for name, apart in sorted(found.items(), key=lambda item: -item[1].largest)
    ]
    sys.stdout.write(f"examples of all splits: {'the same bytes' if is_equal else 'DIFFERENT'}\n\n")
    header = (
        "metric",
        "numbers",
        "in one run alone",
        "largest overall",
        "largest of any group",
        "moved by a step",
    )
    sys.stdout.write(markdown_table(header, rows))
    return 0 if is_equal else 1


def _only(study: Path, pattern: str) -> Path:
    found = sorted((study / "artifacts").glob(pattern))
    if len(found) != 1:
        raise UserError(
            f"{study}: expected one finished run, found {len(found)} of artifacts/{pattern}."
        )
    return found[0]


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    sys.exit(main())
