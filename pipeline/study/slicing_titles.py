"""Titles of slicings: what people read where groups are named."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pipeline.study.features import called

if TYPE_CHECKING:
    from pipeline.study.study import Study


def slicing_titles(study: Study) -> dict[str, str]:
    """Titles of the slicings that have one, by name, in the order of the file.

    A slicing by a column has the title of the feature that is that column. Where two have the same,
    as with two kinds of bands, their names stand behind it.

    Examples:
        >>> from pipeline.study.load import load_study
        >>> from pipeline.study.shipped import find_study_file
        >>> slicing_titles(load_study(find_study_file("synthetic")))
        {'sex': 'Sex', 'age_band': 'Age (years)'}
    """
    columns = {
        feature.column: feature.title
        for feature in study.resolved_features
        if feature.dataset == study.subject.dataset and feature.title != feature.name
    }
    found = {
        name: columns[slicing.column]
        for name, slicing in study.slicing.by.items()
        if slicing.column in columns
    }
    times = Counter(found.values())
    return {
        name: title if times[title] == 1 else called(name, found) for name, title in found.items()
    }
