"""Which values that the study file names no row has, and how that is said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pipeline.reading.levels import FOUND, MOST_LEVELS, VALUES
from pipeline.reading.missing_codes import CODES
from pipeline.reading.plan import ReadingPlan
from pipeline.results.counts import AbsentLevels
from pipeline.study.conditions import Scalar
from pipeline.study.levels import NamedLevels, level_name


def absent_levels(plan: ReadingPlan, counts: Counter[tuple[str, ...]]) -> Iterator[AbsentLevels]:
    """The named values that no row has.

    Args:
        plan: What was read. Columns that supplemental qualifiers may hold are not checked.
        counts: What the reading's `LevelFinder`s found, added up.

    Yields:
        One for each place of the study file that names such values.
    """
    for item in plan.datasets.values():
        for named in item.levels:
            place = (named.dataset, named.column)
            absent = [v for v in named.levels if not counts[FOUND, *place, level_name(v)]]
            if absent and named.column not in item.qualifiers:
                yield _absent(named, absent, counts)


def _absent(
    named: NamedLevels, absent: list[Scalar], counts: Counter[tuple[str, ...]]
) -> AbsentLevels:
    place = (named.dataset, named.column)
    found = {key for key in counts if key[0] == VALUES and key[1:3] == place}
    present = len(named.levels) - len(absent)
    is_needed = not present and not named.negated
    return AbsentLevels(
        key=named.key,
        dataset=named.dataset,
        column=named.column,
        levels=tuple(map(str, absent)),
        present=present,
        needed=named.alone or (is_needed and (named.from_start or bool(found))),
        found=min(len(found), MOST_LEVELS),
    )


def absence_text(absent: AbsentLevels) -> str:
    """One line for people: which values no row has, and what to do."""
    it = "them" if len(absent.levels) > 1 else "it"
    if absent.key.endswith(".missing"):
        holding = ": the data may write the missing value in another way, which counts as a value"
    else:
        found = "1 value" if absent.found == 1 else f"{absent.found:,} different values"
        holding = f", which holds {found}"
    where = f"column {absent.column}" if absent.column else "any column that is read"
    return (
        f"{absent.key}: no row of dataset {absent.dataset} has {', '.join(absent.levels)} in "
        f"{where}{holding}. Name {it} as the data do (capitals, blanks and leading zeros count), "
        f"or remove {it} from the study file."
    )


def absent_codes(plan: ReadingPlan, counts: Counter[tuple[str, ...]]) -> Iterator[AbsentLevels]:
    """The declared codes of missing values that no row has, of the columns that are read.

    Args:
        plan: What was read.
        counts: What the reading's `MissingCodeFinder`s found, added up.

    Yields:
        One for each column, and for each dataset, with such codes.
    """
    for name, item in plan.datasets.items():
        of_all = [code for code in map(str.strip, item.format.missing) if code]
        unseen = [code for code in of_all if not counts[CODES, name, code]]
        if unseen and item.names:
            yield AbsentLevels(
                key=f"datasets.{name}.missing",
                dataset=name,
                column="",
                levels=tuple(unseen),
                present=len(of_all) - len(unseen),
                needed=False,
                found=0,
            )
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
