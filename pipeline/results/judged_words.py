"""The sentences of a verdict's reasons and notes, see `pipeline.results.judged`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pipeline.estimates import fixed, interval_text
from pipeline.metrics import METRICS
from pipeline.names import BASE_RATE, CHAMPION
from pipeline.results.outcomes import LEAST_EVENTS, ComparisonReason
from pipeline.results.reference_models import TITLES
from pipeline.results.release import EarlierRelease, Release
from pipeline.study.sections import Side
from pipeline.titles import Titles, titled

if TYPE_CHECKING:
    from pipeline.results.judged import Judged

_NOT = "The champion is not comparable:"
_OF_THE_RUN: Mapping[str, str] = {
    "nothing_demanded": "nothing that could be judged is demanded of this task: add a threshold of "
    "all subjects to the study file, or leave `default_thresholds` of its section `evaluation` on",
    "first_run": "No champion: no model has been blessed before.",
    "validation": "No champion was compared: a registered model is validated on another trial.",
    "other_split": f"{_NOT} it was trained on another split (other split seed), so it may have "
    "seen the test subjects.",
    "other_labels": f"{_NOT} its label definitions or its way of dividing the subjects differ "
    "(other label digest).",
    "other_deal": f"{_NOT} an earlier release registered it, which divided the subjects in another "
    "way, so it may have seen the test subjects.",
    "other_key": f"{_NOT} the pseudonyms of its subjects were made with another subject key, so "
    "who trained it is not known.",
    "no_division": f"{_NOT} the registry does not hold which subjects it was trained on, or how it "
    "predicted them out of fold.",
    "not_compared": "Thresholds against a champion were not judged.",
    "reason_held_back": "why is held back with the numbers of this run.",
    "too_few_new_subjects": "subjects who are new since the champion's run are too few to compare "
    "the models on them.",
}
"""What needs no number."""

_BEYOND: Mapping[tuple[Side, str], str] = {
    ("at_least", "point"): "below",
    ("at_least", "bound"): "lower bound below",
    ("at_most", "point"): "above",
    ("at_most", "bound"): "upper bound above",
    ("at_least", "overlap"): "interval wholly below",
    ("at_most", "overlap"): "interval wholly above",
}
"""Description of a value beyond its limit, by side and `holds`."""

_EXPLANATIONS: Mapping[ComparisonReason, str] = {
    "no_value": "has no value (for example, because all subjects have the same outcome, or no "
    "prediction reaches the decision threshold)",
    "no_interval": "has no confidence interval, but the threshold applies to it",
    "too_few_subjects": "can't be judged: fewer than {smallest_group} subjects have a known "
    "outcome",
    "too_few_events": f"can't be judged: fewer than {LEAST_EVENTS} subjects with the outcome, or "
    "without it",
    "group_too_small": "is not judged: fewer than {smallest_group} subjects may have a known "
    "outcome",
    "no_champion": "is not judged: no champion was scored",
    "no_reference": "can't be judged: the reference model was not fitted",
}
"""Reasons of comparisons as the end of a sentence; `beyond_limit` has numbers, see `_beyond`."""

_OF_UNSEEN = "of the subjects that neither model was trained, stopped or calibrated on, fewer than"
_EXPLANATIONS_OF_CHAMPION: Mapping[ComparisonReason, str] = {
    "too_few_subjects": f"can't be judged: {_OF_UNSEEN} {{smallest_group}} have a known outcome",
    "too_few_events": f"can't be judged: {_OF_UNSEEN} {LEAST_EVENTS} have the outcome, or are "
    "without it",
    "group_too_small": f"is not judged: {_OF_UNSEEN} {{smallest_group}} have a known outcome",
}
"""The same of comparisons with the champion, which may be on a part of the subjects."""

_OF_MERGED = "is not judged: few subjects have each of its values"

_NOT_SHOWN: Mapping[tuple[str, str | None], str] = {
    ("auc", None): "that it ranks subjects better than guessing is not shown",
    ("auc", CHAMPION): "that it ranks subjects about as well as the champion is not shown",
    ("brier", BASE_RATE): "that it predicts better than the arm's rate of the outcome is not shown",
    ("calibration_in_the_large", None): "its predictions are too high or too low on the whole",
    ("calibration_slope", None): "its predictions are too extreme (below 1) or too timid (above 1)",
}
"""What a default that fails means, by metric and the model that it is compared with."""


def sentence(item: Judged, titles: Titles) -> str:
    """A reason or note without its task; empty for a comparison that passes.

    Args:
        item: The reason or note, not a finished sentence.
        titles: Titles of the study's tasks and slicings.
    """
    if item.reason in _OF_THE_RUN:
        return _OF_THE_RUN[item.reason]
    if item.reason in _NOTES:
        return _NOTES[item.reason](item)
    if item.reason in ("within_limit", "sentence"):
        return ""
    return f"{_measure(item)} {_place(item, titles)} {_explanation(item)}"


def _measure(item: Judged) -> str:
    metric = item.metric or ""
    measure = METRICS[metric].title if metric in METRICS else metric
    if item.decision_threshold is not None:
        measure += f" at decision threshold {item.decision_threshold:g}"
    if item.model == "difference":
        return f"difference of {measure} to the {(item.versus or CHAMPION).replace('_', ' ')}"
    return f"{measure} of the champion" if item.model == CHAMPION else measure


def _place(item: Judged, titles: Titles) -> str:
    group = ", ".join(f"{titles.slicing(name)}={value}" for name, value in item.group)
    return f"in slice {group}" if group else "overall"


def _explanation(item: Judged) -> str:
    if item.reason == "beyond_limit":
        return _beyond(item)
    reason: ComparisonReason = item.reason  # type: ignore[assignment]
    own = _EXPLANATIONS_OF_CHAMPION if item.is_of_champion else {}
    text = own.get(reason) or _EXPLANATIONS[reason]
    if reason == "group_too_small" and item.smallest_group is None:
        return _OF_MERGED
    return text.format(smallest_group=item.smallest_group)


def _beyond(item: Judged) -> str:
    assert item.side is not None
    assert item.limit is not None
    where = _BEYOND[item.side, item.holds] + (" or at" if item.strict else "")
    found = item.estimate
    if found.value is None:
        return f"is {where} {item.limit:g} (suppressed: a smaller group's numbers would follow)"
    versus = item.versus or (CHAMPION if item.model == "difference" else None)
    meaning = _NOT_SHOWN.get((item.metric or "", versus))
    means = f": {meaning}" if meaning and item.origin == "default" else ""
    lower = (item.side == "at_least") == (item.holds == "bound")
    bound = found.lower if lower else found.upper
    judged = found.value if item.holds == "point" or bound is None else bound
    digits = _digits(judged, item.limit)
    value = f"{found.value:z.{digits}g}"
    if found.lower is not None and found.upper is not None:
        value += f" ({found.lower:z.{digits}g} to {found.upper:z.{digits}g})"
    return f"is {value}, {where} {item.limit:g}{means}"


def _digits(value: float, limit: float) -> int:
    """Three significant digits, or as many as distinguish the value from its limit."""
    if value == limit:
        return 3
    for digits in range(3, 17):
        if float(f"{value:.{digits}g}") != limit:
            return digits
    return 17


def _other_scheme(item: Judged) -> str:
    own, champion = item.values["scheme"], item.values["champion"]
    return f"{_NOT} it was evaluated by `{champion}`, this model by `{own}`."


def _compared_on_test(item: Judged) -> str:
    return (
        f"Compared with the champion on {_count(item, 'compared')} test subjects that neither "
        f"model was trained, stopped or calibrated on; {_count(item, 'new')} of them are new since "
        "the champion's run."
    ) + _left_out(item, "test subjects that the champion has seen are left out.")


def _compared_out_of_fold(item: Judged) -> str:
    new = (
        "no subject is new since the champion's run."
        if item.values["new"] == 0
        else f"{_count(item, 'new')} subjects are new since the champion's run, and are compared "
        "apart."
    )
    return (
        f"Compared with the champion on {_count(item, 'compared')} subjects of both runs, each "
        f"predicted by models that never saw the subject; {new}"
    ) + _left_out(item, "subjects changed their fold and are left out.")


def _left_out(item: Judged, text: str) -> str:
    return "" if item.values["left_out"] == 0 else f" {_count(item, 'left_out')} {text}"


def _too_few_to_compare(item: Judged) -> str:
    ways = [
        "let the trial grow (new subjects are added to those compared)",
        *(
            ()
            if item.values["out_of_fold"]
            else ("evaluate by `scheme: cross_fit`, which compares later models on all subjects",)
        ),
        "replace the champion without the task by `drop_tasks: allowed`",
        "measure a registered model on new data by `trial validate`",
    ]
    return (
        f"To compare a task with the champion takes at least {item.smallest_group} subjects with a "
        f"known label that neither model has seen, {LEAST_EVENTS} of them with the outcome and "
        f"{LEAST_EVENTS} without it: {', '.join(ways[:-1])}, or {ways[-1]}."
    )


def _new_subjects(item: Judged) -> str:
    return (
        f"subjects who are new since the champion's run ({_count(item, 'subjects')} with a known "
        "outcome, predicted by the champion's own model): difference of the AUC to the champion "
        f"{fixed(item.estimate.value or 0.0)}{interval_text(item.estimate)}."
    )


def _simpler_model(item: Judged) -> str:
    gain = item.estimate
    interval = (
        ""
        if gain.lower is None or gain.upper is None
        else f", 95 % interval {fixed(gain.lower)} to {fixed(gain.upper)}"
    )
    how = "better" if gain.upper is not None and gain.upper < 0 else "as well"
    name = titled(item.versus or "", TITLES).lower()
    text = (
        f"{name} predicts {how}: its AUC is {_number(item, 'reference')}, the model's "
        f"{_number(item, 'own')} (difference {fixed(gain.value or 0.0)}{interval}; a gain below "
        f"{item.limit:g} counts as none)."
    )
    if "base_rate" in item.values:
        text += (
            " So does the base rate of the arm, which uses no feature: its AUC is "
            f"{_number(item, 'base_rate')}."
        )
    return text


def _count(item: Judged, name: str) -> str:
    """A number of subjects, or that it is below the smallest that is shown."""
    found = item.values[name]
    return f"fewer than {item.smallest_group}" if found is None else f"{found:,}"


def _number(item: Judged, name: str) -> str:
    found = item.values[name]
    return fixed(float(found)) if isinstance(found, int | float) else fixed(math.nan)


def _held_back(item: Judged) -> str:
    earlier = EarlierRelease.model_validate(item.values)
    smallest = item.values["smallest_group"]
    return Release.model_validate({"smallest_group": smallest, "earlier": earlier}).sentence


_NOTES: Mapping[str, Callable[[Judged], str]] = {
    "other_scheme": _other_scheme,
    "compared_on_test": _compared_on_test,
    "compared_out_of_fold": _compared_out_of_fold,
    "too_few_to_compare": _too_few_to_compare,
    "new_subjects": _new_subjects,
    "simpler_model": _simpler_model,
    "held_back": _held_back,
}
"""Notes that have numbers."""
