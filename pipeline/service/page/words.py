"""A prediction in words for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.service.answers import NEGATIVE, POSITIVE
from pipeline.service.subject_columns import LANDMARK, POPULATION

_OF = 100
_ICONS_A_ROW = 10
_DRIVERS = 6
_LEAST_CONTRIBUTION = 0.005
"""Log odds below which a contribution would be shown as 0.00."""


_NOT_TOLD = {
    POPULATION: "It is not known whether this patient meets the population of the trial.",
    LANDMARK: "It is not known whether this patient left by the landmark.",
}


@dataclass(frozen=True)
class Driver:
    """What a feature does to a prediction.

    Attributes:
        feature: Its name.
        contribution: Change of the log odds against the reference subject.
    """

    feature: str
    contribution: float

    @property
    def direction(self) -> str:
        """Whether it raises or lowers the risk."""
        return "raises" if self.contribution > 0 else "lowers"


@dataclass(frozen=True)
class ArmWords:
    """The prediction of a task under an arm.

    Attributes:
        arm: The arm.
        risk: Of a hundred patients, how many are predicted to have the outcome.
        interval: Its interval likewise; `none` without one.
    """

    arm: str
    risk: str
    interval: str


@dataclass(frozen=True)
class TaskWords:
    """The prediction of a task, for people.

    Attributes:
        title: Title of the task.
        risk: The risk, a sentence.
        interval: Its interval, a sentence.
        decision: The prediction set, a sentence; empty without one.
        icons: Of a hundred icons, how many stand for the outcome.
        between: The icons between the ends of the interval: the first, and the one after the last.
        summary: What the icons show, for who can't see them.
        drivers: The features that move the prediction most, the first most of all.
        why_no_drivers: Why there are none, a sentence; empty where there are.
    """

    title: str
    risk: str
    interval: str
    decision: str
    icons: int
    between: tuple[int, int]
    summary: str
    drivers: tuple[Driver, ...]
    why_no_drivers: str = ""

    @property
    def places(self) -> Iterator[tuple[int, int, str]]:
        """Column and row of each icon, from 0, and its classes by what it means."""
        lower, upper = self.between
        for place in range(_OF):
            meaning = "of" if place < self.icons else "not"
            between = " between" if lower <= place < upper else ""
            yield place % _ICONS_A_ROW, place // _ICONS_A_ROW, meaning + between


def words_of(answer: Mapping[str, Any], coverage: float | None) -> tuple[TaskWords, ...]:
    """An answer of `/predict` in words.

    Args:
        answer: The answer, with contributions.
        coverage: What the model's prediction sets promise; None for a model without sets.
    """
    return tuple(_task(found, coverage) for found in answer["predictions"].values())


def out_of_hundred(probability: float) -> str:
    """A probability as a natural frequency.

    Examples:
        >>> out_of_hundred(0.234), out_of_hundred(0.001), out_of_hundred(0.999)
        ('23', 'fewer than 1', 'more than 99')
    """
    if probability < 0.5 / _OF:
        return "fewer than 1"
    if probability > 1 - 0.5 / _OF:
        return "more than 99"
    return str(round(probability * _OF))


def flag_words(
    flags: Sequence[Mapping[str, str | None]], titles: Mapping[str, str]
) -> tuple[str, ...]:
    """Flags of an answer as sentences.

    Args:
        flags: The flags.
        titles: Title of each column, by name.
    """
    return tuple(
        f"{titles.get(flag['feature'], flag['feature'])}: {str(flag['title']).lower()}"
        if flag["feature"]
        else str(flag["title"])
        for flag in flags
    )


def arm_words(arms: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, tuple[ArmWords, ...]], ...]:
    """Predictions under each arm, by title of the task.

    Args:
        arms: Member `arms` of an answer of `/predict`; empty where they are not side by side.
    """
    tasks = arms[0]["predictions"] if arms else {}
    return tuple(
        (
            of["title"],
            tuple(_arm_words(found["arm"], found["predictions"][task]) for found in arms),
        )
        for task, of in tasks.items()
    )


def _arm_words(arm: str, found: Mapping[str, Any]) -> ArmWords:
    interval = found["interval"]
    return ArmWords(
        arm=arm,
        risk=out_of_hundred(found["probability"]),
        interval=_ends(interval) if interval else "none",
    )


def unknown_words(not_told: Sequence[str]) -> tuple[str, ...]:
    """What the columns do not show of a patient, as sentences."""
    return tuple(_NOT_TOLD[name] for name in not_told)


def group_words(groups: Mapping[str, str | None]) -> str:
    """The groups that a prediction set is of, for people; empty without any.

    Examples:
        >>> group_words({"sex": "F", "age": "65 to <75", "country": None})
        'sex: F; age: 65 to <75; country: not known'
    """
    return "; ".join(f"{name}: {value or 'not known'}" for name, value in groups.items())


def unjudged_words(unjudged: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    """Groups in which the model was not judged, as title and groups of each kind.

    Args:
        unjudged: Member `not_judged_in` of what is said about a model.
    """
    found: dict[str, list[str]] = {}
    for of in unjudged:
        found.setdefault(of["title"], []).append(group_words(of["group"]).replace("; ", " and "))
    return tuple((title, "; ".join(groups)) for title, groups in found.items())


def _task(found: Mapping[str, Any], coverage: float | None) -> TaskWords:
    probability, title = found["probability"], found["title"]
    count = out_of_hundred(probability)
    risk = f"Of {_OF} patients with these values, {count} are predicted to have the outcome."
    interval = found["interval"]
    drivers, why_not = _drivers(found.get("contributions", {}))
    return TaskWords(
        title=title,
        risk=risk,
        interval=(
            f"Of earlier patients with such a prediction, {_ends(interval)} of {_OF} had the "
            "outcome (calibrated on patients that the model was not trained on)."
            if interval
            else f"No interval. {found['why_no_interval']}"
        ),
        decision=_decision(found["set"], coverage),
        icons=round(probability * _OF),
        between=_between(interval),
        summary=(
            f"{count} of {_OF} icons are filled: predicted to have the outcome."
            + (
                f" The interval is {_ends(interval)} of {_OF}: icons between its ends have a "
                "thick edge."
                if interval
                else ""
            )
        ),
        drivers=drivers,
        why_no_drivers=why_not,
    )


def _ends(interval: Mapping[str, float]) -> str:
    ends = dict.fromkeys(out_of_hundred(interval[end]) for end in ("lower", "upper"))
    return " to ".join(ends)


def _between(interval: Mapping[str, float] | None) -> tuple[int, int]:
    if not interval:
        return 0, 0
    return round(interval["lower"] * _OF), round(interval["upper"] * _OF)


def _decision(levels: Sequence[str] | None, coverage: float | None) -> str:
    if levels is None or coverage is None:
        return ""
    meaning = {
        (): "the patient is unlike those with and those without the outcome",
        (NEGATIVE,): "without the outcome",
        (POSITIVE,): "with the outcome",
        (NEGATIVE, POSITIVE): "the model can't tell",
    }[tuple(levels)]
    return f"Prediction set with a coverage of {coverage:.0%}: {meaning}."


def _drivers(contributions: Mapping[str, Any]) -> tuple[tuple[Driver, ...], str]:
    if "features" not in contributions:
        return (), contributions.get("why_not", "")
    found = sorted(contributions["features"].items(), key=lambda item: -abs(item[1]))
    return tuple(
        Driver(name, value) for name, value in found[:_DRIVERS] if abs(value) >= _LEAST_CONTRIBUTION
    ), ""
