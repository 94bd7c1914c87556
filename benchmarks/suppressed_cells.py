"""How many cells a public run suppresses, by the part of the protection that does it.

The groups are those of Table 1 (arm by value at baseline), of the model's slices and of the
subgroups of a task (arm by value of a slicing), made from the examples of a shipped study; no
model is trained. `too small` is the least that may be: groups with fewer subjects than the smallest
group.
`by subtraction` follows from those and the totals; `zeros` are empty places of values that few
subjects have; `unknown labels` are groups that could be small among the known labels of a task.
`rounded` groups are shown, their numbers with the outcome to the nearest five.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy_run import make_examples
from benchmarks.report import markdown_table, write_json
from benchmarks.shipped_study import add_data_option
from components.evaluator.settings import EvaluatorSettings
from components.trial_analysis.disclosure import MISSING, Disclosure, with_missing
from components.trial_analysis.settings import TrialAnalysisSettings
from components.trial_analysis.subjects import Outcome, TrialSubjects, load_subjects
from pipeline.names import SPLITS, slice_key
from pipeline.reading.examples import Categories, examples_at, read_columns
from pipeline.results.documents import OVERALL, Group
from pipeline.results.suppress import empty_of_small, suppressed
from pipeline.study.load import load_study
from pipeline.study.shipped import find_study_file
from pipeline.study.study import Study
from pipeline.subject_key import ensure_local_key

STUDIES = ("ist", "cdisc_pilot01")
VALUE = "value"

Sizes = dict[Group, int]


@dataclass(frozen=True)
class Row:
    """Cells of one table.

    Attributes:
        table: What they are of.
        cells: How many there are, those without a subject included.
        too_small: Those with a subject and fewer than the smallest group.
        by_subtraction: Further ones from which a smaller one would follow.
        zeros: Further ones: places of values that few have, and what follows from these.
        unknown_labels: Further ones, since labels of a task are unknown.
        rounded: Shown ones whose numbers with the outcome are rounded.
        whole: Rows of the table of which every cell is suppressed.
    """

    table: str
    cells: int
    too_small: int
    by_subtraction: int
    zeros: int
    unknown_labels: int
    rounded: int
    whole: int

    @property
    def shown(self) -> int:
        """Cells with a number."""
        hidden = self.too_small + self.by_subtraction + self.zeros + self.unknown_labels
        return self.cells - hidden


def rows_of(study: Study, examples: Path) -> Iterator[Row]:
    """Counts the cells of a study.

    Args:
        study: The study.
        examples: Folder of its examples.
    """
    settings = TrialAnalysisSettings.of(study)
    subjects = load_subjects(examples_at(str(examples)), settings)
    smallest = study.slicing.smallest_group
    disclosure = Disclosure(subjects, smallest)
    columns = {name: _presence(values) for name, values in subjects.numbers.items()}
    for name, column in {**columns, **subjects.categories}.items():
        yield table_row(subjects, disclosure, column, f"Table 1: {name}")
    for task, outcome in subjects.outcomes.items():
        for name, column in subjects.slicings.items():
            yield table_row(subjects, disclosure, column, f"subgroups of {task}: {name}", outcome)
    yield from _slices(study, examples, subjects)


def _presence(values: NDArray[np.float32]) -> Categories:
    return Categories(np.where(np.isnan(values), -1, 0).astype(np.int32), ("known",))


def table_row(
    subjects: TrialSubjects,
    disclosure: Disclosure,
    column: Categories,
    table: str,
    outcome: Outcome | None = None,
) -> Row:
    """Counts the cells of one characteristic, or of a slicing's subgroups of a task.

    Args:
        subjects: The subjects.
        disclosure: Has the smallest group.
        column: The characteristic or the slicing.
        table: What the cells are of.
        outcome: The task's outcome; None of Table 1.
    """
    smallest = disclosure.smallest
    factors = subjects.describing
    slicings = [
        (),
        *((factor.name,) for factor in factors),
        (VALUE,),
        *((factor.name, VALUE) for factor in factors),
    ]
    everyone = np.ones(subjects.count, bool)
    masks = {value: column.codes == code for value, code in with_missing(column)}
    found = []
    for population in [everyone] if outcome is None else [everyone, outcome.known]:
        sizes: Sizes = {OVERALL: int(population.sum())}
        sizes |= {((VALUE, v),): int((mask & population).sum()) for v, mask in masks.items()}
        for factor in factors:
            for level in factor.levels:
                inside = factor.of(level) & population
                sizes[((factor.name, level),)] = int(inside.sum())
                for value, mask in masks.items():
                    cell = ((factor.name, level), (VALUE, value))
                    sizes[cell] = int((inside & mask).sum())
        found.append(sizes)
    cells = [group for group in found[0] if len(group) == 2]
    if outcome is not None:
        cells = [group for group in cells if group[1][1] != MISSING]
    is_rounded = outcome is not None and not outcome.known.all()
    return _counted(table, cells, _parts(found, slicings, smallest), is_rounded)


def _parts(
    populations: Sequence[Sizes], slicings: Sequence[tuple[str, ...]], smallest: int
) -> list[set[Group]]:
    """What each further part of the protection suppresses, with that of the parts before it."""
    whole = {group: size for group, size in populations[0].items() if size}
    small = {group for group, size in whole.items() if group and size < smallest}
    parts = [small, set(suppressed(whole, slicings, smallest))]
    joined: set[Group] = set()
    for sizes in populations:
        present = {group: size for group, size in sizes.items() if size}
        empty = empty_of_small(present, slicings, smallest)
        joined |= set(suppressed(present, slicings, smallest, empty=empty))
        if len(parts) == 2:
            parts.append(set(joined))
    return [*parts, joined]


def _counted(
    table: str, cells: Collection[Group], parts: Sequence[set[Group]], is_rounded: bool
) -> Row:
    small, by_subtraction, zeros, unknown = (part & set(cells) for part in parts)
    hidden = small | by_subtraction | zeros | unknown
    values: dict[str, set[Group]] = {}
    for cell in cells:
        values.setdefault(cell[-1][1], set()).add(cell)
    return Row(
        table=table,
        cells=len(cells),
        too_small=len(small),
        by_subtraction=len(by_subtraction - small),
        zeros=len(zeros - by_subtraction - small),
        unknown_labels=len(unknown - zeros - by_subtraction - small),
        rounded=len(set(cells) - hidden) if is_rounded else 0,
        whole=sum(of_value <= hidden for of_value in values.values()),
    )


def _slices(study: Study, examples: Path, subjects: TrialSubjects) -> Iterator[Row]:
    settings = EvaluatorSettings.of(study)
    names = [slice_key(name) for name in settings.slicings]
    columns = read_columns(examples_at(str(examples)), SPLITS, [], names).categories
    codes = {name: columns[slice_key(name)] for name in settings.slicings}
    for task, outcome in subjects.outcomes.items():
        everyone = np.ones(subjects.count, bool)
        whole, known = (
            _slice_sizes(codes, settings.expanded_slicings, population)
            for population in (everyone, outcome.known)
        )
        smallest, slicings = settings.smallest_group, settings.expanded_slicings
        parts = _parts([whole], slicings, smallest)
        margin = min(int((~outcome.known).sum()), smallest - 1)
        few = {g for g in whole if g and min(known.get(g, 0), whole[g] - margin) < smallest}
        empty = empty_of_small(whole, slicings, smallest)
        parts[-1] = set(suppressed(whole, slicings, smallest, few=few, empty=empty))
        is_rounded = not outcome.known.all()
        yield _counted(f"slices of {task}", [g for g in whole if g], parts, is_rounded)


def _slice_sizes(
    columns: Mapping[str, Categories],
    slicings: Sequence[tuple[str, ...]],
    population: NDArray[np.bool_],
) -> Sizes:
    """Subjects of every group that has some."""
    sizes: Sizes = {OVERALL: int(population.sum())}
    for names in slicings[1:]:
        places = np.stack([columns[name].codes for name in names])[:, population]
        found, counts = np.unique(places[:, (places >= 0).all(axis=0)], axis=1, return_counts=True)
        for codes, count in zip(found.T, counts, strict=True):
            values = (columns[name].values[code] for name, code in zip(names, codes, strict=True))
            sizes[tuple(zip(names, values, strict=True))] = int(count)
    return sizes


def report(study: str, rows: Sequence[Row]) -> str:
    """A table in Markdown."""
    header = ["cells", "too small", "by subtraction", "zeros", "unknown labels", "shown", "rounded"]
    lines = [
        (
            row.table,
            row.cells,
            row.too_small,
            row.by_subtraction,
            row.zeros,
            row.unknown_labels,
            row.shown,
            row.rounded,
            row.whole,
        )
        for row in rows
    ]
    return markdown_table([study, *header, "values without a number"], lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        0.
    """
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.suppressed_cells",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--studies", nargs="+", default=list(STUDIES), help="shipped studies")
    add_data_option(parser, "folder with a folder of each trial")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/benchmarks/suppressed_cells.json"), help="as JSON"
    )
    arguments = parser.parse_args(argv)
    content = {}
    for name in arguments.studies:
        study = load_study(find_study_file(name))
        with tempfile.TemporaryDirectory() as folder:
            key = ensure_local_key(Path(folder) / "key")
            make_examples(study, arguments.data / name, key, Path(folder))
            rows = list(rows_of(study, Path(folder) / "examples"))
        content[name] = [vars(row) for row in rows]
        sys.stdout.write(f"{report(name, rows)}\n\n")
        sys.stdout.flush()
    write_json(arguments.out, {"benchmark": "suppressed_cells", "studies": content})
    return 0


if __name__ == "__main__":
    sys.exit(main())
