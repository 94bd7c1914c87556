"""Which values that the study file names no row has, for `counts.json`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from pipeline.reading.levels import FOUND, MOST_LEVELS, VALUES
from pipeline.reading.missing_codes import CODES
from pipeline.reading.plan import ReadingPlan
from pipeline.results.counts import AbsentLevels
from pipeline.study.conditions import Scalar
from pipeline.study.levels import NamedLevels, level_name, named_levels
from pipeline.study.study import Study


def absent_levels(
    study: Study, qualified: Iterable[tuple[str, str]], counts: Counter[tuple[str, ...]]
) -> Iterator[AbsentLevels]:
    """The named values that no row has.

    Args:
        study: The study.
        qualified: Columns (dataset, name) that supplemental qualifiers may hold; they are
            not checked.
        counts: What the reading's `LevelFinder`s found, added up.

    Yields:
        One for each place of the study file that names such values.
    """
    skipped = set(qualified)
    for named in named_levels(study):
        place = (named.dataset, named.column)
        absent = [v for v in named.levels if not counts[FOUND, *place, level_name(v)]]
        if absent and place not in skipped:
            yield _absent(named, absent, counts)


def _absent(
    named: NamedLevels, absent: list[Scalar], counts: Counter[tuple[str, ...]]
) -> AbsentLevels:
    place = (named.dataset, named.column)
    found = {key for key in counts if key[0] == VALUES and key[1:3] == place}
    present = len(named.levels) - len(absent)
    return AbsentLevels(
        key=named.key,
        dataset=named.dataset,
        column=named.column,
        levels=tuple(map(str, absent)),
        present=present,
        needed=named.alone or (not present and not named.negated),
        found=min(len(found), MOST_LEVELS),
    )


def absent_codes(plan: ReadingPlan, counts: Counter[tuple[str, ...]]) -> Iterator[AbsentLevels]:
    """The declared codes of missing values that no row has, of the columns that are read.

    Args:
        plan: What was read.
        counts: What the reading's `MissingCodeFinder`s found, added up.

    Yields:
        One for each column with such codes.
    """
    for name, item in plan.datasets.items():
        for column in item.names:
            declared = plan.study.datasets[name].columns.get(column)
            codes = declared.missing if declared else ()
            absent = [c for c in codes if not counts[CODES, name, column, level_name(c)]]
            if absent:
                yield AbsentLevels(
                    key=f"datasets.{name}.columns.{column}.missing",
                    dataset=name,
                    column=column,
                    levels=tuple(map(str, absent)),
                    present=len(codes) - len(absent),
                    needed=False,
                    found=0,
                )
