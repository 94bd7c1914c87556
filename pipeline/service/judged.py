"""In which groups the model was judged, from the card that is registered with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.documents import Document

GROUP_TOO_SMALL = "group_too_small"
"""The group had no subject or too few, or too few with or without the outcome, to judge the model
in. Which of these is not said: that a group is empty would say where few subjects are."""

GROUP_NOT_SHOWN = "group_not_shown"
"""The performance in the group is not shown: that of a small group would follow."""

GROUP_TITLES = {
    GROUP_TOO_SMALL: "Group too small to judge the model in",
    GROUP_NOT_SHOWN: "Group in which the model's performance is not shown",
}
"""Title of each kind of flag, the gravest first."""

_TOO_SMALL = "too_small"
_TOO_FEW = ("group_too_small", "too_few_subjects", "too_few_events")

_Key = frozenset[tuple[str, str]]


class _OfGroup(Document):
    """What a part of `card.json` is about."""

    task: str
    slice: dict[str, str]

    @property
    def key(self) -> _Key:
        return frozenset(self.slice.items())


class _Suppressed(_OfGroup):
    reason: str


class _Compared(_OfGroup):
    reason: str = ""


class _Metrics(Document):
    records: tuple[_OfGroup, ...] = ()
    suppressed: tuple[_Suppressed, ...] = ()


class _Verdict(Document):
    comparisons: tuple[_Compared, ...] = ()


class JudgedEvidence(Document):
    """Of the evidence of `card.json` what says in which groups the model was judged.

    Attributes:
        metrics: The Evaluator's metrics; without any in the card of an earlier state.
        verdict: The Evaluator's verdict.
    """

    metrics: _Metrics = _Metrics()
    verdict: _Verdict = _Verdict()


@dataclass(frozen=True)
class JudgedGroups:
    """In which groups a model was judged.

    Attributes:
        flags: The flag of each group that has one; None for a group that was judged.
        slicings: What groups are formed by: a slicing, or a pair of them.
    """

    flags: Mapping[_Key, str | None] = field(default_factory=dict)
    slicings: tuple[tuple[str, ...], ...] = ()

    def flags_of(self, slices: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """Flags of a subject.

        Args:
            slices: The subject's value by slicing, `""` where it is not known.

        Yields:
            Kind of flag, and the slicings of the group, with commas between them.
        """
        flagged = set[str]()
        for by in self.slicings if self.flags else ():
            # A pair adds nothing to what is said of one of its groups.
            if flagged & set(by) or not all(slices[name] for name in by):
                continue
            key = frozenset((name, slices[name]) for name in by)
            if flag := self.flags.get(key, GROUP_TOO_SMALL):
                flagged.update(by)
                yield flag, ",".join(by)

    def unjudged(self) -> tuple[tuple[str, dict[str, str]], ...]:
        """Groups that the card names and in which the model was not judged, the gravest flag first.

        Returns:
            Kind of flag, and the value by slicing; a pair only where neither of its groups is
            named itself.
        """
        kinds = list(GROUP_TITLES)
        found = sorted(
            (kinds.index(flag), sorted(key))
            for key, flag in self.flags.items()
            if flag and not (len(key) > 1 and any(self.flags.get(frozenset({v})) for v in key))
        )
        return tuple((kinds[kind], dict(group)) for kind, group in found)


def judged_groups(
    evidence: JudgedEvidence,
    tasks: Sequence[str],
    slicings: Sequence[str],
    pairs: Sequence[tuple[str, str]],
) -> JudgedGroups:
    """In which groups a model was judged, as its card says.

    Args:
        evidence: What the card has of it.
        tasks: Tasks that the model serves: a group has the gravest flag of these.
        slicings: Slicings of the study.
        pairs: Pairs of them whose combinations are groups too.
    """
    flags: dict[_Key, str | None] = {
        record.key: None for record in evidence.metrics.records if record.task in tasks
    }
    hidden = [part for part in evidence.metrics.suppressed if part.task in tasks]
    flags |= {part.key: GROUP_NOT_SHOWN for part in hidden}
    flags |= {part.key: GROUP_TOO_SMALL for part in hidden if part.reason == _TOO_SMALL}
    flags |= {
        comparison.key: GROUP_TOO_SMALL
        for comparison in evidence.verdict.comparisons
        if comparison.task in tasks and comparison.slice and comparison.reason in _TOO_FEW
    }
    return JudgedGroups(flags, (*((name,) for name in slicings), *pairs))
