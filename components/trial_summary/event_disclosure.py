"""Disclosure control of the counts of adverse events of an arm.

Subjects with an event are a group of the arm, and so are those without: neither is shown if one has
1 to n - 1 subjects, n being the study's smallest group. Zero subjects with an event is shown, since
it concerns no single subject. The worst severities of an organ class add up to its subjects. Three
things follow from several classes together and are prevented:

- Subjects with an event of a class are a subset of those with any event. If they are nearly all of
  them, the few others would follow, and the class is suppressed; likewise for a severity or worse.
- Classes overlap. Where all are shown and add up to little more than those with any event, few
  subjects have events of several, and the smallest class is suppressed.
- A subject with a severe event of any class has one of some class. If the other classes have too
  few to account for all of them, those of the last class follow, and classes are not divided by
  severity; if even their totals are too few, no class is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from components.trial_summary.disclosure import shown_groups
from components.trial_summary.sums import ANY, UNKNOWN
from pipeline.results.documents import OVERALL, Group


@dataclass(frozen=True)
class Events:
    """Subjects of an arm with an event, of one organ class or of any.

    Attributes:
        found: By the severity of their worst event, including `UNKNOWN`.
        shown: Those that may be shown: with an event (None), and by worst severity.
    """

    found: Mapping[str, int]
    shown: Mapping[str | None, int]

    @property
    def subjects(self) -> int:
        """Subjects with an event."""
        return sum(self.found.values())

    def undivided(self) -> Events:
        """The same without severities."""
        return Events(self.found, {None: self.subjects} if None in self.shown else {})

    def severe(self, severities: Sequence[str], first: int) -> int | None:
        """Subjects whose worst event has at least a severity, if it follows from the shown numbers.

        Args:
            severities: The severities, the mildest first.
            first: Index of the severity.
        """
        milder, worse = severities[:first], severities[first:]
        if all(severity in self.shown for severity in worse):
            return sum(self.shown[severity] for severity in worse)
        if self.found.get(UNKNOWN) or not all(s in self.shown for s in (None, *milder)):
            return None
        return self.shown[None] - sum(self.shown[severity] for severity in milder)


def shown_events(
    subjects: int,
    severities: Sequence[str],
    found: Mapping[str, Mapping[str, int]],
    smallest: int,
) -> dict[str, Events]:
    """Decides which counts of an arm's events may be shown.

    Args:
        subjects: All subjects of the arm.
        severities: The severities, the mildest first.
        found: Subjects with an event by organ class (`ANY` for any) and the worst severity of
            theirs, `UNKNOWN` included.
        smallest: Fewest subjects that a group is shown for.

    Returns:
        The events by class, `ANY` first.
    """
    of_any = _alone(subjects, severities, found.get(ANY, {}), smallest)
    classes = {}
    for name in sorted(set(found) - {ANY}):
        events = _alone(subjects, severities, found[name], smallest)
        classes[name] = _beside_any(events, of_any, severities, smallest)
    classes = _beside_each_other(classes, of_any, severities, smallest)
    if not _others_explain(classes, of_any, severities, smallest):
        classes = {name: events.undivided() for name, events in classes.items()}
    if not _others_explain(classes, of_any, severities, smallest):
        of_any = of_any.undivided()
    return {ANY: of_any, **classes}


def _alone(
    subjects: int, severities: Sequence[str], found: Mapping[str, int], smallest: int
) -> Events:
    with_event = sum(found.values())
    yes: Group = (("event", "yes"),)
    sizes: dict[Group, int] = {
        OVERALL: subjects,
        yes: with_event,
        (("event", "no"),): subjects - with_event,
    }
    sizes |= {(*yes, ("severity", severity)): number for severity, number in found.items()}
    groups = shown_groups(sizes, smallest)
    if with_event and yes not in groups:
        return Events(found, {})
    worst: dict[str | None, int] = {
        severity: found.get(severity, 0)
        for severity in severities
        if not found.get(severity) or (*yes, ("severity", severity)) in groups
    }
    return Events(found, {None: with_event, **worst})


def _beside_any(events: Events, of_any: Events, severities: Sequence[str], smallest: int) -> Events:
    if not events.shown:
        return events
    if None in of_any.shown and 0 < of_any.subjects - events.subjects < smallest:
        return Events(events.found, {})
    for first in range(len(severities)):
        of_class, of_all = (each.severe(severities, first) for each in (events, of_any))
        if of_class is not None and of_all is not None and 0 < of_all - of_class < smallest:
            return events.undivided()
    return events


def _beside_each_other(
    classes: Mapping[str, Events], of_any: Events, severities: Sequence[str], smallest: int
) -> dict[str, Events]:
    kept = dict(classes)
    counts = {name: events.shown.get(None) for name, events in kept.items()}
    name = _smallest_of_few_in_several(counts, of_any.shown.get(None), smallest)
    if name is not None:
        kept[name] = Events(kept[name].found, {})
    for first in range(len(severities)):
        counts = {name: events.severe(severities, first) for name, events in kept.items()}
        name = _smallest_of_few_in_several(counts, of_any.severe(severities, first), smallest)
        if name is not None:
            kept[name] = kept[name].undivided()
    return kept


def _smallest_of_few_in_several(
    counts: Mapping[str, int | None], of_any: int | None, smallest: int
) -> str | None:
    """The class to suppress if it follows that few subjects have events of several classes."""
    known = {name: number for name, number in counts.items() if number is not None}
    if of_any is None or len(known) < len(counts):
        return None
    if not 0 < sum(known.values()) - of_any < smallest:
        return None
    return min((name for name in known if known[name]), key=lambda name: (known[name], name))


def _others_explain(
    classes: Mapping[str, Events], of_any: Events, severities: Sequence[str], smallest: int
) -> bool:
    """Whether the severe events of any class can be accounted for without each single class."""
    for first in range(1, len(severities)):
        of_all = of_any.severe(severities, first) or 0
        most = [_most_severe(events, severities, first, smallest) for events in classes.values()]
        if any(sum(most) - of_class < of_all for of_class in most):
            return False
    return True


def _most_severe(events: Events, severities: Sequence[str], first: int, smallest: int) -> int:
    """Largest number of subjects of a class with a severe event consistent with what is shown."""
    known = events.severe(severities, first)
    if known is not None:
        return known
    return events.subjects if set(events.shown) == {None} else smallest - 1
