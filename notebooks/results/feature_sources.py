"""Which columns of a model come from the same source and are permuted together.

The last value and the change of a laboratory parameter, or a number and its band, are derived from
the same records. Shuffling one of them alone would make impossible subjects, and each would mask
the importance of the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.names import ARM, SITE
from pipeline.study.conditions import Condition
from pipeline.study.features import ResolvedFeature
from pipeline.study.study import Study


@dataclass(frozen=True)
class Source:
    """The origin of one or several columns of the model.

    Attributes:
        name: For people; no two sources of a study share it.
        columns: Columns of the examples.
    """

    name: str
    columns: tuple[str, ...]


def feature_sources(study: Study) -> tuple[Source, ...]:
    """Sources of everything that the model of a study reads, in the order of the study file.

    Two features share a source if they read the same column of the same dataset (or only count
    its rows), and by their conditions the rows of one are a subset of the rows of the other. The
    arm, and the site where the model may use it, are sources of their own.
    """
    groups: list[list[ResolvedFeature]] = []
    for feature in study.resolved_features:
        joined = [
            group
            for group in groups
            if any(_share_records(study, feature, other) for other in group)
        ]
        if joined:
            joined[0].append(feature)
            for group in joined[1:]:
                joined[0].extend(group)
                groups.remove(group)
        else:
            groups.append([feature])
    sources = [_source(group) for group in groups]
    if study.arm:
        sources.append(Source(ARM, (ARM,)))
    if study.training.site_as_feature:
        sources.append(Source(SITE, (SITE,)))
    return tuple(_distinguish_names(sources))


def _share_records(study: Study, one: ResolvedFeature, other: ResolvedFeature) -> bool:
    if (one.dataset, one.column) != (other.dataset, other.column):
        return False
    first, second = _conditions_of(study, one), _conditions_of(study, other)
    return first <= second or second <= first


def _conditions_of(study: Study, feature: ResolvedFeature) -> frozenset[Condition]:
    """What a row must meet, as conditions that must all hold."""
    where = feature.where
    conditions = set(() if where is None else where.all or (where,))
    if feature.parameter is not None:
        column = study.datasets[feature.dataset].parameter
        conditions.add(Condition(column=column, equals=feature.parameter))
    return frozenset(conditions)


def _source(group: Sequence[ResolvedFeature]) -> Source:
    columns = tuple(feature.name for feature in group)
    if len(group) == 1:
        return Source(group[0].title, columns)
    first = group[0]
    parameter = next((feature.parameter for feature in group if feature.parameter), None)
    name = parameter or first.column or f"{first.dataset} rows"
    return Source(name, columns)


def _distinguish_names(sources: Sequence[Source]) -> Iterator[Source]:
    names = [source.name for source in sources]
    for source in sources:
        clashes = names.count(source.name) > 1
        name = f"{source.name} ({', '.join(source.columns)})" if clashes else source.name
        yield Source(name, source.columns)
