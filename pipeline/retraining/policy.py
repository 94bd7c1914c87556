"""Decides whether a model is trained again. Nothing is read or started here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pipeline.study.sections import RetrainRules

SCHEDULE = "schedule"
BROKEN_FEED = "missing"
"""Kind of an alarm on values that do not come any more."""


@dataclass(frozen=True)
class Fired:
    """An alarm that has fired.

    Attributes:
        kind: What it watches.
        reason: What it says, a sentence.
    """

    kind: str
    reason: str


@dataclass(frozen=True)
class Situation:
    """What a decision is made on.

    Attributes:
        now: The moment, UTC.
        champion: Id of the champion; empty for none.
        monitored: Id of the model whose monitoring is the newest; empty for none.
        fired: Alarms on it that have fired.
        new_outcomes: Outcomes that became known of subjects whom it had predicted.
        last_training: When a model of the study was registered, or a retraining started, last.
        running: Id of a run of the study that is under way; empty for none.
        stopped: Why the newest subjects could not be predicted, sentences: a gate stopped them.
        answered: When a retraining was started for the same alarm; None where none was.
    """

    now: datetime
    champion: str
    monitored: str = ""
    fired: tuple[Fired, ...] = ()
    new_outcomes: int = 0
    last_training: datetime | None = None
    running: str = ""
    stopped: tuple[str, ...] = ()
    answered: datetime | None = None


@dataclass(frozen=True)
class Decision:
    """Whether a model is trained again.

    Attributes:
        retrain: Whether it is.
        reasons: Why, or all that speaks against it, a sentence each.
        is_for_people: Whether a person must do something first: a feed is broken.
    """

    retrain: bool
    reasons: tuple[str, ...]
    is_for_people: bool = False

    @property
    def text(self) -> str:
        """All reasons in one line."""
        return " ".join(self.reasons)


def decide(rules: RetrainRules, situation: Situation) -> Decision:
    """Decides whether a model is trained again.

    Args:
        rules: The study's rules.
        situation: What is known.

    Examples:
        >>> from datetime import UTC
        >>> rules = RetrainRules(when=("calibration",), at_least_new_outcomes=100)
        >>> alarm = Fired("calibration", "Predictions of response are too low since 2024-05-06.")
        >>> now = datetime(2024, 6, 1, tzinfo=UTC)
        >>> decide(rules, Situation(now, "a1", "a1", (alarm,), new_outcomes=40)).text
        'Of 100 new outcomes that are needed 40 are known.'
        >>> decide(rules, Situation(now, "a1", "a1", (alarm,), new_outcomes=140)).text
        'Predictions of response are too low since 2024-05-06. 140 new outcomes are known.'
    """
    if not rules.when:
        return Decision(False, ("The study file asks for no retraining (`retrain.when`).",))
    feed = tuple(_broken_feed(situation))
    against = (*_no_base(situation), *feed, *_not_asked(rules, situation))
    against += tuple(_not_yet(rules, situation))
    if against:
        return Decision(False, against, is_for_people=bool(feed))
    reasons = [alarm.reason for alarm in _asking(rules, situation)]
    if not reasons:
        reasons.append("The study file asks for it without any alarm (`schedule`).")
    return Decision(True, (*reasons, f"{situation.new_outcomes} new outcomes are known."))


def _asking(rules: RetrainRules, situation: Situation) -> list[Fired]:
    return [alarm for alarm in situation.fired if alarm.kind in rules.when]


def _no_base(situation: Situation) -> Iterator[str]:
    """What lacks to decide anything."""
    if not situation.champion:
        yield "There is no champion: run the pipeline first (`trial run`)."
    elif not situation.monitored:
        yield "The champion was not monitored yet: run `trial monitor` first."
    elif situation.monitored != situation.champion:
        yield (
            f"The newest monitoring is of {situation.monitored}, but the champion is "
            f"{situation.champion}: run `trial monitor` again."
        )


def _broken_feed(situation: Situation) -> Iterator[str]:
    for alarm in situation.fired:
        if alarm.kind == BROKEN_FEED:
            yield f"{alarm.reason} A feed is broken, which no training mends: repair it first."
    for stop in situation.stopped:
        yield f"{stop} Look at the data first."


def _not_asked(rules: RetrainRules, situation: Situation) -> Iterator[str]:
    if SCHEDULE in rules.when or _asking(rules, situation):
        return
    others = sorted({alarm.kind for alarm in situation.fired} - {BROKEN_FEED})
    but = f" (but {', '.join(others)}, which `retrain.when` does not name)" if others else ""
    yield f"No alarm that asks for it has fired: {', '.join(rules.when)}{but}."


def _not_yet(rules: RetrainRules, situation: Situation) -> Iterator[str]:
    if situation.answered:
        yield f"For this alarm a retraining was started at {_minute(situation.answered)}."
    if situation.new_outcomes < rules.at_least_new_outcomes:
        yield (
            f"Of {rules.at_least_new_outcomes} new outcomes that are needed "
            f"{situation.new_outcomes} are known."
        )
    last = situation.last_training
    if last and situation.now < last + rules.interval:
        yield (
            f"The last training was at {_minute(last)}; the next is not before "
            f"{_minute(last + rules.interval)} (`retrain.not_more_often_than`)."
        )
    if situation.running:
        yield f"The run {situation.running} of this study is under way."


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
