"""Compares the results of two roots, number by number: `python -m benchmarks.compare_runs OLD NEW`.

Both roots hold runs of the same studies, made from the same data with the same subject key and
seed (each checkout makes a key of its own: set `TRIAL_SUBJECT_KEY`), for example by two versions
of this project:

    (cd ../old && python -m pipeline.local_runner --study ist --data ... --root /tmp/old)
    trial run --study ist --data ... --root /tmp/new
    python -m benchmarks.compare_runs /tmp/old /tmp/new

The newest finished run of each study counts. Renamed keys of the newer version are mapped first.
Two numbers are equal if all their digits are.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.metrics import FORMER_NAMES

logger = logging.getLogger(__name__)

DOCUMENTS: Mapping[str, tuple[str, str]] = {
    "metrics.json": ("TrialEvaluator", "verdict"),
    "curves.json": ("TrialEvaluator", "verdict"),
    "verdict.json": ("TrialEvaluator", "verdict"),
    "analysis.json": ("TrialAnalysis", "analysis"),
    "summary.json": ("TrialSummary", "summary"),
    "counts.json": ("TrialExampleGen", "rejects"),
    "findings.json": ("DataGate", "findings"),
    "training.json": ("Trainer", "model_run"),
}
"""File, with its stage and output."""

VOLATILE = frozenset({"seconds"})
"""Keys whose values differ between two runs of one version."""

_MOST_SHOWN = 20

Key = tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """A leaf of a document that is not the same in both runs.

    Attributes:
        place: Its path, keys joined by dots; an item of a list by its identifying key.
        old: Its JSON text in the older run; None if it is missing.
        new: The same of the newer run.
    """

    place: str
    old: str | None
    new: str | None


def compare(old: Any, new: Any) -> list[Difference]:
    """Compares two documents.

    Args:
        old: Content of the older one; renamed values are mapped to their names of today.
        new: Content of the newer one.

    Returns:
        Leaves that differ or that only one of them has, in the order of their places.
    """
    before, after = dict(_leaves(old, ())), dict(_leaves(new, ()))
    return [
        Difference(".".join(place), before.get(place), after.get(place))
        for place in sorted(before.keys() | after.keys())
        if before.get(place) != after.get(place)
    ]


def _leaves(content: Any, place: Key) -> Iterator[tuple[Key, str]]:
    if isinstance(content, Mapping):
        for key, value in content.items():
            if key not in VOLATILE:
                yield from _leaves(value, (*place, FORMER_NAMES.get(key, key)))
    elif isinstance(content, list):
        names = [_identity(item) for item in content]
        # Lists of numbers and of items without an identifying key are compared by position.
        distinct = None not in names and len(set(names)) == len(names)
        for number, item in enumerate(content):
            name = names[number] if distinct else None
            yield from _leaves(item, (*place, name or str(number)))
    else:
        value = FORMER_NAMES.get(content, content) if isinstance(content, str) else content
        yield place, json.dumps(value)


_IDENTIFYING = (
    "task",
    "slice",
    "metric",
    "decision_threshold",
    "model",
    "section",
    "measure",
    "arm",
    "site",
    "period",
    "group",
    "category",
    "name",
)


def _identity(item: Any) -> str | None:
    """The identifying keys of a list's item; None if it has none."""
    if not isinstance(item, Mapping):
        return None
    found = {key: item[key] for key in _IDENTIFYING if key in item}
    text = json.dumps(found, sort_keys=True)
    for old, new in FORMER_NAMES.items():
        text = text.replace(f'"{old}"', f'"{new}"')
    return text if found else None


def read_documents(root: Path, study: str) -> dict[str, Any]:
    """Reads the documents of a study's newest finished run.

    Args:
        root: Folder that the run was written below.
        study: Name of the study.

    Returns:
        Content by file name; a file that the run did not write is absent.

    Raises:
        FileNotFoundError: The root has no finished run of the study.
    """
    for file in sorted((root / study / "records").glob("*/run.json"), reverse=True):
        run = json.loads(file.read_text(encoding="utf-8"))
        if run["status"] == "done":
            return dict(_documents(run["outputs"]))
    raise FileNotFoundError(f"{root / study / 'records'} holds no finished run")


def _documents(outputs: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, Any]]:
    for name, (stage, output) in DOCUMENTS.items():
        file = Path(outputs[stage][output]) / name
        if file.exists():
            yield name, json.loads(file.read_text(encoding="utf-8"))


def compare_studies(
    old: Path, new: Path, studies: Sequence[str], say: Callable[[str], None]
) -> int:
    """Compares two roots and reports the differences.

    Args:
        old: Root of the older version.
        new: Root of the newer version.
        studies: Names of the studies.
        say: Called with each line of the report.

    Returns:
        Number of leaves that differ.
    """
    total = 0
    for study in studies:
        before, after = read_documents(old, study), read_documents(new, study)
        for name in DOCUMENTS:
            if name not in before and name not in after:
                continue
            found = compare(before.get(name), after.get(name))
            total += len(found)
            leaves = sum(1 for _ in _leaves(before.get(name), ()))
            say(f"{study} {name}: {leaves} values, {len(found)} differ")
            for item in found[:_MOST_SHOWN]:
                say(f"  {item.place}: {item.old} -> {item.new}")
            if len(found) > _MOST_SHOWN:
                say(f"  and {len(found) - _MOST_SHOWN} more")
    return total


def main(argv: Sequence[str] | None = None) -> int:
    """Compares two roots.

    Returns:
        0 if all values are equal, 1 if some differ, 2 if there is nothing to compare.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare_runs")
    parser.add_argument("old", type=Path, help="root of the older version's runs")
    parser.add_argument("new", type=Path, help="root of the newer version's runs")
    parser.add_argument("studies", nargs="*", help="studies; all that both roots have by default")
    chosen = parser.parse_args(argv)
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    studies = chosen.studies or sorted(
        folder.parent.name
        for folder in chosen.new.glob("*/records")
        if (chosen.old / folder.parent.name / "records").is_dir()
    )
    if not studies:
        logger.error("%s and %s have no study in common", chosen.old, chosen.new)
        return 2
    try:
        return 1 if compare_studies(chosen.old, chosen.new, studies, logger.info) else 0
    except FileNotFoundError as error:
        logger.error("%s", error)
        return 2


if __name__ == "__main__":
    sys.exit(main())
