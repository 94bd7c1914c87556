"""Titles of tasks and slicings: what people read where tasks and groups are named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.titles import Titles, distinct_titles, titled

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
    return distinct_titles(study.slicing.by, found)


def task_titles(study: Study) -> dict[str, str]:
    """Titles of all tasks, by name, in the order of the file.

    Examples:
        >>> from pipeline.study.load import load_study
        >>> from pipeline.study.shipped import find_study_file
        >>> task_titles(load_study(find_study_file("synthetic")))["response"]
        'Symptom score of week 12 at most half of the baseline score'
    """
    return {name: task.title for name, task in study.tasks.items()}


def study_titles(study: Study) -> Titles:
    """Titles of a study's tasks and slicings, for texts.

    Examples:
        >>> from pipeline.study.load import load_study
        >>> from pipeline.study.shipped import find_study_file
        >>> study_titles(load_study(find_study_file("ist"))).task("dead_or_dependent")
        'Dead or dependent at 6 months'
    """
    return Titles.of(task_titles(study), slicing_titles(study))


def titles_with_pairs(study: Study) -> dict[str, str]:
    """The same with pairs, named as groups of both are: `sex, age_band`.

    Examples:
        >>> from pipeline.study.load import load_study
        >>> from pipeline.study.shipped import find_study_file
        >>> titles_with_pairs(load_study(find_study_file("ist")))["sex, age"]
        'Sex, Age (years)'
    """
    titles = slicing_titles(study)
    pairs = {
        ", ".join(pair): ", ".join(titled(name, titles) for name in pair)
        for pair in study.slicing.pairs
        if any(name in titles for name in pair)
    }
    return titles | pairs
