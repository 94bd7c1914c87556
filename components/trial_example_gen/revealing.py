"""Columns that give the arm away, while the trial is ongoing and its arm is hidden.

A column such as the actual treatment, the dose or the number of doses taken is the arm under
another name: figures by its values are figures by arm. This is the one place that looks at a
hidden arm. It takes the subjects with the smallest hashes, compares each column of their examples
with the arm, and lets nothing out but the names of the columns that are refused. The rule is the
same for every arm, so that the names of two arms can be exchanged without any difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.stats import binom

from components.trial_example_gen.examples import BuiltExamples
from pipeline.names import SITE, slice_key
from pipeline.reading.groups import arm_names
from pipeline.reading.joined import JoinedSubjects
from pipeline.study.features import ResolvedFeature
from pipeline.study.study import Study
from pipeline.tfx_release import concat_tables

_SUBJECTS = 10_000
"""Subjects that are looked at: enough for every share below."""

_OTHERS = 0.1
"""A group of subjects tells the arm where at most this share of the expected number is in others:
with two arms of one size 95 % are in one."""

_CHANCE = 1e-6
"""Largest probability of so few others where the column has nothing to do with the arm."""

_COVERED = 0.2
"""A column is refused from this share of all subjects in groups that tell the arm."""

_FEW_VALUES = 20
"""A number of so few values is looked at value by value, any other below and above cuts."""

_CUTS = np.arange(1, 20) / 20
ARM = "hidden"
HASH = "hash"


def sample_of(study: Study, subjects: JoinedSubjects, built: BuiltExamples) -> pa.Table:
    """What the check needs of a bucket's subjects; at most `_SUBJECTS` of them.

    Args:
        study: The blinded study.
        subjects: The subjects, n of them.
        built: Their examples.
    """
    columns = study.hidden.arm if study.hidden else ()
    own = subjects.rows[study.subject.dataset].table
    looked_at = {place: built.columns[name] for place, name in _places(study).items()}
    # In a factorial trial a column may give one factor away and not the other.
    factors = [columns, *((column,) for column in columns if len(columns) > 1)]
    arms = {f"{ARM} {number}": arm_names(factor, own) for number, factor in enumerate(factors)}
    table = pa.table({HASH: built.hashes, **arms, **looked_at})
    return first_subjects([table])


def first_subjects(samples: Sequence[pa.Table]) -> pa.Table:
    """The subjects with the smallest hashes: the same ones in whatever order they come."""
    table = concat_tables(list(samples))
    if len(table) <= _SUBJECTS:
        return table
    last = np.sort(table[HASH].to_numpy())[_SUBJECTS - 1]
    return table.filter(pc.less_equal(table[HASH], pa.scalar(int(last), pa.uint64())))


def revealing(sample: pa.Table) -> Iterator[str]:
    """Yields a sentence for each column that gives the arm away.

    Args:
        sample: Of each subject `hidden 0` and so on (its arm, and each factor of it), `hash`, and
            what is read of it by its place in the study file, rows in any order.
    """
    factors = [name for name in sample.column_names if name.startswith(f"{ARM} ")]
    for place in sample.column_names:
        if place not in (HASH, *factors) and any(
            _tells(sample.select([factor, place])) for factor in factors
        ):
            yield gives_away(place)


def gives_away(place: str) -> str:
    """Says that what stands at a place of the study file gives the arm away."""
    return (
        f"{place} gives the arm away, or nearly, so nothing may be shown by it while the "
        "trial is ongoing (`conduct: ongoing`). Leave it out until the trial is locked."
    )


def _tells(pair: pa.Table) -> bool:
    """Whether the second column tells the first one, of the subjects who have that."""
    known = pair.filter(pc.is_valid(pair[0]))
    names = np.array(known[0].to_pylist(), str)
    arms = np.unique(names, return_inverse=True)[1]
    return bool(arms.any()) and tells_arm(known[1].combine_chunks(), arms)


def tells_arm(
    values: pa.Array, arms: NDArray[np.int64], shares: NDArray[np.float64] | None = None
) -> bool:
    """Whether the arm of many subjects follows from a column.

    Args:
        values: Numbers or texts, null where missing, `[n]`.
        arms: Number of each subject's arm, from 0, `[n]`.
        shares: Share of each arm among all subjects, where these are only some of them.
    """
    shares = np.bincount(arms) / len(arms) if shares is None else shares
    return any(
        sum(_count_told(arms[group], shares) for group in groups) >= _COVERED * len(arms)
        for groups in _divisions(values)
    )


def _count_told(arms: NDArray[np.int64], shares: NDArray[np.float64]) -> int:
    """Subjects of a group if it tells the arm, otherwise 0."""
    others = len(arms) - np.bincount(arms, minlength=len(shares))
    few = others <= _OTHERS * len(arms) * (1 - shares)
    by_chance = binom.cdf(others, len(arms), 1 - shares)
    return len(arms) if np.any(few & (by_chance < _CHANCE)) else 0


def _divisions(values: pa.Array) -> Iterator[list[NDArray[np.bool_]]]:
    """Ways to divide subjects into groups by a column; who has no value is a group."""
    missing = np.array(values.is_null())
    different = pc.unique(values.drop_null())
    if not pa.types.is_floating(values.type) or len(different) <= _FEW_VALUES:
        codes = values.dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False)
        yield [codes == code for code in np.unique(codes)]
        return
    numbers = values.to_numpy(zero_copy_only=False)
    for cut in np.unique(np.quantile(numbers[~missing], _CUTS)):
        yield [missing, numbers < cut, numbers >= cut]


def _source(feature: ResolvedFeature) -> str:
    if feature.column is None:
        return f"the {feature.aggregate} of rows of {feature.dataset}"
    return f"column {feature.column} of {feature.dataset}"


def _places(study: Study) -> dict[str, str]:
    """Columns of the examples that results are shown by, by their place in the study file."""
    places = {
        f"features.{feature.name}: {_source(feature)}": feature.name
        for feature in study.resolved_features
    }
    places |= {
        f"slicing.by.{name}: column {by.column or by.date or by.of}": slice_key(name)
        for name, by in study.slicing.by.items()
    }
    if study.training.site_as_feature or study.evaluation.by == SITE:
        places["site.column: the site"] = SITE
    return places
