"""How a model's performance differs between the groups of `internal_external`."""

from __future__ import annotations

from pipeline.documents import Count, Document


class BetweenGroups(Document):
    """A metric over the groups that the model did not see, each a study of its own.

    Groups that are suppressed or have no interval are left out, so that nothing follows from the
    summary that the groups shown do not say.

    Attributes:
        task: The task.
        metric: The metric.
        groups: Number of groups that are summarized.
        left_out: Number of the other groups.
        lowest: Smallest value of a group.
        highest: Largest value of a group.
        mean: Mean over groups of a random-effects model; null for fewer than two groups.
        lower: Lower bound of its 95 % interval.
        upper: Upper bound.
        new_lower: Lower bound of the 95 % prediction interval of a new group; null for fewer than
            three groups.
        new_upper: Upper bound.
    """

    task: str
    metric: str
    groups: Count
    left_out: Count
    lowest: float
    highest: float
    mean: float | None = None
    lower: float | None = None
    upper: float | None = None
    new_lower: float | None = None
    new_upper: float | None = None
