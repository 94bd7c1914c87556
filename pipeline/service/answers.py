"""What the service answers for subjects: the one place that knows what a prediction consists of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Any

from numpy.typing import NDArray

from pipeline.results.scored_file import flag_of, flag_text
from pipeline.results.scoring import FLAG_TITLES
from pipeline.results.uncertainty import (
    LOWER,
    SET_NEGATIVE,
    SET_POSITIVE,
    UPPER,
    output_name,
)
from pipeline.service.champion import Champion
from pipeline.service.checked import CheckedRows
from pipeline.service.given import GivenColumns
from pipeline.service.judged import GROUP_TITLES
from pipeline.service.model import Outputs
from pipeline.service.validation import check_rows

_TITLES = FLAG_TITLES | GROUP_TITLES
FLAGS = tuple(_TITLES)
"""All kinds of flags."""
NEGATIVE = "without_outcome"
POSITIVE = "with_outcome"
_NO_CONTRIBUTIONS = "This model has no contributions."
_NO_INTERVAL = "A model of an earlier release has no intervals."


@dataclass(frozen=True)
class Predicted:
    """Predictions of n subjects.

    Attributes:
        champion: The model.
        checked: The subjects' columns, flags and arms.
        outputs: Outputs of the signature that predicts, float32 `[n]`, by name.
        contributions: Contributions to the log odds, float32 `[n, features + 1]`, by task; None
            where they were not asked for, or the model has none.
    """

    champion: Champion
    checked: CheckedRows
    outputs: Mapping[str, NDArray[Any]]
    contributions: Mapping[str, NDArray[Any]] | None


def predict(champion: Champion, given: GivenColumns) -> Predicted:
    """Predicts subjects.

    Args:
        champion: The model.
        given: Columns of the subjects.

    Raises:
        InvalidRowsError: Something is wrong with a column.
    """
    checked = checked_rows(champion, given)
    outputs = champion.model.predict(checked.arguments, checked.slices)
    return predicted(champion, checked, outputs)


def checked_rows(champion: Champion, given: GivenColumns) -> CheckedRows:
    """Checks subjects, and flags those of groups in which the model was not judged.

    Args:
        champion: The model.
        given: Columns of the subjects.

    Raises:
        InvalidRowsError: Something is wrong with a column.
    """
    checked = check_rows(champion.study, given, champion.inputs, champion.reactions)
    return replace(checked, flags=_with_groups(champion, checked))


def explanations(champion: Champion, checked: CheckedRows) -> Outputs | None:
    """Contributions of each task, where the model has them."""
    if not champion.explained:
        return None
    return champion.model.contributions(checked.arguments)


def predicted(champion: Champion, checked: CheckedRows, outputs: Outputs) -> Predicted:
    """Predictions of subjects from what the model has answered, `[n, 1]` each."""
    return Predicted(
        champion=champion,
        checked=checked,
        outputs={name: values[:, 0] for name, values in outputs.items()},
        contributions=None,
    )


def answer(predicted: Predicted, row: int, explains: bool = False) -> dict[str, Any]:
    """The answer for one subject, by names.

    Args:
        predicted: The predictions.
        row: The subject's place.
        explains: Whether contributions were asked for.
    """
    champion, checked = predicted.champion, predicted.checked
    found: dict[str, Any] = {
        "model": champion.identity(),
        "predictions": {
            task: _task_answer(predicted, task, row, explains) for task in champion.tasks
        },
        "flags": [_flag(text) for text in checked.flags[row]],
        "groups": groups_of(checked, row),
        "not_told": list(checked.unknown[row]),
    }
    if checked.arms is not None:
        found["assumed_arm"] = checked.arms[row]
    return found


def arms_of(found: Predicted) -> list[dict[str, Any]]:
    """Predictions of one subject under each arm, by names.

    Args:
        found: A row for each of the champion's arms.
    """
    return [
        {
            "arm": arm,
            "predictions": {
                task: _task_answer(found, task, row, explains=False)
                for task in found.champion.tasks
            },
        }
        for row, arm in enumerate(found.champion.arms)
    ]


def _with_groups(champion: Champion, checked: CheckedRows) -> tuple[tuple[str, ...], ...]:
    """Flags of each subject, with those of groups in which the model was not judged."""
    # Subjects of the same groups have the same flags.
    known: dict[tuple[str, ...], tuple[str, ...]] = {}
    found = []
    of_all = zip(*(values.tolist() for values in checked.slices.values()), strict=True)
    for flags, groups in zip(checked.flags, of_all if checked.slices else repeat(()), strict=False):
        if groups not in known:
            of_groups = champion.judged.flags_of(dict(zip(checked.slices, groups, strict=True)))
            known[groups] = tuple(flag_text(*flag) for flag in of_groups)
        found.append(flags + known[groups])
    return tuple(found)


def groups_of(checked: CheckedRows, row: int) -> dict[str, str | None]:
    """Value of a subject by slicing; null where a request does not have the column."""
    return {name: values[row] or None for name, values in checked.slices.items()}


def _task_answer(predicted: Predicted, task: str, row: int, explains: bool) -> dict[str, Any]:
    champion, outputs = predicted.champion, predicted.outputs

    def part(name: str) -> float:
        return float(outputs[output_name(task, name)][row])

    found: dict[str, Any] = {
        "title": champion.tasks[task],
        "probability": float(outputs[task][row]),
        "interval": None,
        "set": None,
    }
    if output_name(task, LOWER) in outputs:
        found["interval"] = {"lower": part(LOWER), "upper": part(UPPER)}
        levels = {NEGATIVE: SET_NEGATIVE, POSITIVE: SET_POSITIVE}
        found["set"] = [level for level, name in levels.items() if part(name) > 0]
    else:
        found["why_no_interval"] = _why_no_interval(champion, task)
    if explains:
        found["contributions"] = _contributions(predicted, task, row)
    return found


def _why_no_interval(champion: Champion, task: str) -> str:
    of = champion.uncertainty.tasks.get(task) if champion.uncertainty else None
    return of.why_not if of else _NO_INTERVAL


def _contributions(predicted: Predicted, task: str, row: int) -> dict[str, Any]:
    if predicted.contributions is None:
        return {"why_not": _NO_CONTRIBUTIONS}
    values = [float(value) for value in predicted.contributions[task][row]]
    features = predicted.champion.explained or ()
    return {
        "unit": "log odds",
        "reference": values[-1],
        "features": dict(zip(features, values[:-1], strict=True)),
    }


def _flag(text: str) -> dict[str, str | None]:
    kind, feature = flag_of(text)
    return {"flag": kind, "feature": feature, "title": _TITLES[kind]}


def flag_kinds(predicted: Predicted) -> Iterator[str]:
    """The kind of each flag of each subject."""
    for flags in filter(None, predicted.checked.flags):
        yield from (flag_of(text)[0] for text in flags)
