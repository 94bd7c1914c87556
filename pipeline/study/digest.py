"""Digests of a study: of the whole file, and of its label definitions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pipeline.names import SITE
from pipeline.study.references import (
    DOMAIN,
    RECORD_KEY,
    RELATED_DOMAIN,
    SUMMARY_ROLES,
    Reference,
    Role,
)

if TYPE_CHECKING:
    from pipeline.study.study import Study

LABEL_DIGEST_VERSION = 3
_WEIGHTS_VERSION = 1
"""Raised where the weights of the same study and data become others."""

_LABEL_ROLES: frozenset[Role] = frozenset(
    {"label", "label_rows", "unknown_when", "landmark", "follow_up", "follow_up_rows"}
)
_UNDECIDING_ROLES: frozenset[Role] = SUMMARY_ROLES | {
    *("feature", "feature_rows", "slicing", "analysis", "analysis_rows")
}
"""Uses whose values change no label and no split; only the rows that they reject can, unless groups
of `evaluation` are formed of them."""

_SECTIONS = ("study", "subject", "population", "window")
_NOT_OF_TASKS = ("title", "kind", "decision_thresholds")
_NOT_OF_DATASETS = (
    *("file", "table", "query", "format", "encoding", "delimiter", "sheet", "columns"),
    *("known", "parameter", "supplements"),
)


def digest_of(content: object) -> str:
    """SHA-256 of JSON-like content, independent of the order of keys, in hexadecimal.

    Examples:
        >>> digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
        True
    """
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def label_digest(study: Study) -> str:
    """Digest of all settings that decide the splits and the labels.

    Two models are comparable on the same test subjects only if it is equal for both. It covers
    the tasks' conditions and horizons, what decides the weights of known labels, who is in the
    trial, the landmark, how days are counted, the scheme of evaluation and the division into splits
    with the arms that they are balanced by, how the rows of the subject dataset and of the labels'
    datasets are keyed and dated, and `type`, `range` and `missing` of each column that is read from
    these datasets: they decide which rows are rejected, whatever the column is used for. Titles,
    `known`, decision thresholds, slicing, thresholds (with their defaults, and whether tasks may be
    dropped) and the location of files do not change it, nor does a feature whose column rejects no
    row.

    Two rare cases are not covered, so that features can be added: a column without a declared type
    or range rejects rows where it holds a number that is infinite or above 1e15, and a qualifier
    may refer by IDVAR to a column that is not a key and that only a feature reads.

    Args:
        study: The study.

    Returns:
        The version of the digest, a colon and SHA-256 in hexadecimal.
    """
    content = study.to_content()
    datasets = _label_datasets(study)
    decided = {
        **{key: content[key] for key in _SECTIONS if key in content},
        "first_day": study.first_day,
        "landmark_day": study.landmark_day,
        "split": study.split.model_dump(mode="json"),
        "evaluation": study.evaluation.deal,
        "groups": _groups(study),
        "arm": _arm_columns(study) or None,
        "site": study.site.column if study.site and _sites_decide(study) else None,
        "tasks": {name: _without(task, _NOT_OF_TASKS) for name, task in content["tasks"].items()},
        "datasets": {
            name: {
                **_without(content["datasets"][name], _NOT_OF_DATASETS),
                # Of two supplements that hold a qualifier the last in the file counts.
                "supplements": study.supplements_of(name),
            }
            for name in datasets
        },
        "columns": dict(_declared_columns(study, datasets)),
        **_weighting(study),
    }
    return f"{LABEL_DIGEST_VERSION}:{digest_of(decided)}"


def version_of_digest(digest: str) -> str:
    """Version of a label digest; release 0.1.0 wrote none.

    Examples:
        >>> version_of_digest("2:ab12"), version_of_digest("ab12")
        ('2', '1')
    """
    version, colon, _ = digest.partition(":")
    return version if colon else "1"


def _arm_columns(study: Study) -> tuple[str, ...]:
    """Columns of the arm, also of one that is hidden: after the lock the labels are the same."""
    if study.hidden:
        return study.hidden.arm
    return study.arm.columns if study.arm else ()


def _sites_decide(study: Study) -> bool:
    weighted = any(study.slicing.by[by].of == SITE for by in _censoring_by(study))
    return weighted or bool(study.split.holdout_sites) or study.evaluation.by == SITE


def _weighting(study: Study) -> dict[str, Any]:
    """What decides the weights of known labels; nothing where all follow-up counts as complete."""
    weighted = {
        name: task.censoring.model_dump(mode="json")
        for name, task in study.tasks.items()
        if task.has_follow_up
    }
    if not weighted:
        return {}
    slicings = {by: study.slicing.by[by].model_dump(mode="json") for by in _censoring_by(study)}
    return {"weights": {"version": _WEIGHTS_VERSION, "tasks": weighted, "slicings": slicings}}


def _censoring_by(study: Study) -> list[str]:
    """Slicings on which the weights depend."""
    return sorted({by for task in study.tasks.values() for by in task.censoring.by})


def _groups(study: Study) -> dict[str, Any] | None:
    """The slicing whose groups are predicted by models that did not see them."""
    by = study.evaluation.by
    if by is None or by == SITE:
        return None
    slicing = study.slicing.by[by].model_dump(mode="json")
    # Empty since no slicing is of a feature; without it digests of earlier releases would differ.
    return {**slicing, "feature": None}


def _label_datasets(study: Study) -> tuple[str, ...]:
    """The subject dataset, the datasets of labels, and their supplements."""
    named = {use.dataset for use in study.references() if use.role in _LABEL_ROLES}
    own = {study.subject.dataset, *named}
    return tuple(sorted(own.union(*(study.supplements_of(name) for name in own))))


def _declared_columns(
    study: Study, datasets: tuple[str, ...]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Declarations of the columns that are read from the datasets, if they have an effect."""
    for dataset in datasets:
        uses = [use for use in study.references() if use.dataset == dataset]
        deciding = {use.column for use in uses if _decides(study, use)}
        read = set(study.columns_used(dataset))
        if dataset == study.subject.dataset:
            deciding.update(_arm_columns(study))
            read.update(_arm_columns(study))
        for name, column in study.datasets[dataset].columns.items():
            is_read = name in read or _places_qualifiers(study, dataset, name)
            declared = column.model_dump(mode="json", exclude={"known"}, exclude_defaults=True)
            if name not in deciding and column.type == "text":
                # Text rejects no row, and only a feature or a slicing reads this column.
                del declared["type"]
            if is_read and declared:
                yield f"{dataset}.{name}", declared


def _places_qualifiers(study: Study, dataset: str, column: str) -> bool:
    """Whether a column, if the file has it, determines the record of a qualifier."""
    if study.datasets[dataset].supplements:
        return column == RELATED_DOMAIN
    has_supplement = bool(study.supplements_of(dataset))
    return has_supplement and (column == DOMAIN or bool(RECORD_KEY.fullmatch(column)))


def _decides(study: Study, use: Reference) -> bool:
    """Whether the values of a column decide a label or a split, not only rejected rows."""
    if use.role == "site":
        return _sites_decide(study)
    if use.role == "slicing" and use.key in {f"slicing.by.{by}" for by in _censoring_by(study)}:
        return True
    if use.role in ("slicing", "feature", "feature_rows") and study.evaluation.by not in (
        None,
        SITE,
    ):
        return True
    return use.role not in _UNDECIDING_ROLES


def _without(content: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in content.items() if key not in keys}
