"""How much each feature, and each pair of them, moves the predictions of the final model.

Importance is the mean size of a feature's contributions over subjects, on the scale of log odds:
what the signatures `contributions` and `interactions` say of one subject, without saying it of any.
"""

from __future__ import annotations

from pipeline.documents import Count, Document


class FeaturePair(Document):
    """Two features that the model uses together.

    Attributes:
        first: A feature.
        second: Another.
        size: Mean size of what both do together and neither does alone, in log odds.
    """

    first: str
    second: str
    size: float


class TaskImportance(Document):
    """Importance for one task.

    Attributes:
        features: Mean size of each feature's contribution in log odds, the largest first.
        pairs: The strongest pairs, the strongest first; empty where the effects of all features add
            up.
    """

    features: dict[str, float]
    pairs: tuple[FeaturePair, ...]


class Importance(Document):
    """Importance over subjects of the training data; nothing about a single one.

    Attributes:
        subjects: Number of subjects that the means of the contributions are of.
        paired: Number of them that the means of the pairs are of.
        tasks: By task.
    """

    subjects: Count
    paired: Count
    tasks: dict[str, TaskImportance]

    def is_shown(self, smallest: int) -> bool:
        """Whether the means are of enough subjects to be shown."""
        return min(self.subjects, self.paired) >= smallest
