"""Which uses of columns each stage reads for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.study.references import OUTCOME_ROLES, SUMMARY_ROLES, Reference, Role

if TYPE_CHECKING:
    from pipeline.study.study import Study

_OF_SUBJECTS: frozenset[Role] = frozenset({"arm", "site", "feature"})
"""Uses of the subject dataset that the summary shares with the examples."""

OF_USE: frozenset[Role] = frozenset({"exit", "site", "slicing"})
"""Uses of the subject dataset that a scoring needs not have."""

_OF_FEATURES: frozenset[Role] = frozenset({"feature", "feature_rows"})

_NOT_OF_OUTCOMES: frozenset[Role] = _OF_FEATURES | {"analysis", "analysis_rows", "window"}
"""What neither a label nor its weight is made from. A window of dates is that of the training."""

_WHOLE_DATASETS: frozenset[Role] = frozenset({"subject_key", "row_day", "row_end", "qualifier"})
"""Uses of a dataset that is used for something else."""


def example_uses(study: Study) -> list[Reference]:
    """Uses of columns and datasets that the examples are made from."""
    return [use for use in study.references() if use.role not in SUMMARY_ROLES]


def hidden_uses(study: Study) -> list[Reference]:
    """Columns of the arm that TrialExampleGen looks at while a trial is ongoing.

    Only to refuse features that give the arm away: no row is rejected because of them, and no
    other stage reads them.
    """
    columns = study.hidden.arm if study.hidden else ()
    return [Reference("arm.columns", "hidden", study.subject.dataset, c) for c in columns]


def summary_uses(study: Study) -> list[Reference]:
    """Uses of columns and datasets that the summary is made from.

    Examples:
        >>> from pipeline.study.load import load_study
        >>> from pipeline.study.shipped import find_study_file
        >>> study = load_study(find_study_file("synthetic"))
        >>> sorted({use.dataset for use in summary_uses(study)})
        ['adae', 'adsl', 'advs']
    """
    subject = study.subject.dataset
    return [
        use
        for use in study.references()
        if use.role in SUMMARY_ROLES or (use.role in _OF_SUBJECTS and use.dataset == subject)
    ]


def scoring_uses(study: Study) -> list[Reference]:
    """Uses of columns and datasets that the examples to score are made from: nothing of an outcome.

    Examples:
        >>> from pipeline.study.load import load_study
        >>> from pipeline.study.shipped import find_study_file
        >>> study = load_study(find_study_file("synthetic"))
        >>> sorted({use.dataset for use in scoring_uses(study)})
        ['adae', 'adlb', 'adsl', 'advs']
    """
    unread = set(OUTCOME_ROLES) | {"window", "slicing"}
    if not study.training.site_as_feature:
        unread.add("site")
    uses = [use for use in example_uses(study) if use.role not in unread]
    # Where rows lie in time matters of the datasets that features are made from.
    needed = {study.subject.dataset, *(use.dataset for use in uses if use.role in _OF_FEATURES)}
    return [use for use in uses if use.dataset in needed]


def outcome_uses(study: Study) -> list[Reference]:
    """Uses of columns and datasets that labels and their weights are made from: no feature.

    Examples:
        >>> from pipeline.study.load import load_study
        >>> from pipeline.study.shipped import find_study_file
        >>> study = load_study(find_study_file("synthetic"))
        >>> sorted({use.dataset for use in outcome_uses(study)})
        ['adae', 'adsl', 'adtte', 'advs']
    """
    slicings = {name for task in study.tasks.values() for name in task.censoring.by}
    by = {f"slicing.by.{name}" for name in slicings}
    of_site = any(study.slicing.by[name].of == "site" for name in slicings)
    uses = [
        use
        for use in example_uses(study)
        if use.role not in _NOT_OF_OUTCOMES
        and (use.role != "slicing" or use.key in by)
        and (use.role != "site" or of_site)
    ]
    needed = {study.subject.dataset}
    needed |= {use.dataset for use in uses if use.role not in _WHOLE_DATASETS}
    return [use for use in uses if use.dataset in needed]
