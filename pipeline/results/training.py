"""What a training did: what `training.json` and the card hold of it."""

from __future__ import annotations

from pipeline.documents import Count, Document
from pipeline.results.importance import Importance


class Recalibration(Document):
    """A task's recalibration on the eval split, on the scale of log odds.

    Attributes:
        slope: Factor of the log odds.
        intercept: What is added to them.
    """

    slope: float
    intercept: float


class TrainingFacts(Document):
    """A training without its course; holds nothing about a single subject.

    Attributes:
        steps: Steps of the optimiser that were taken.
        epochs: Evaluations after passes over the training data.
        best_epoch: Epoch whose weights were kept; 0 is the linear start alone. Null where the run's
            numbers are held back.
        score: Of the best epoch, the mean over the tasks of the eval loss relative to the entropy
            of the base rate: 1.0 is what knowing the base rate achieves. Null likewise.
        seconds: Wall time of the fit.
        seed: Seed of training.
        hyperparameters: Choices of model and training, by name.
        calibration: Recalibration by task.
        weights: Number of the model's weights.
        importance: How much each feature moves the predictions: of the training subjects or, under
            `split`, of those of the eval split. Null in documents of earlier releases.
    """

    steps: Count
    epochs: Count
    best_epoch: Count | None
    score: float | None
    seconds: float
    seed: int
    hyperparameters: dict[str, int | float]
    calibration: dict[str, Recalibration]
    weights: Count
    importance: Importance | None = None

    def published(self, smallest: int) -> TrainingFacts:
        """What a published document may hold.

        Args:
            smallest: Fewest subjects that a number is shown for.
        """
        shown = self.importance and self.importance.is_shown(smallest)
        return self if shown else self.model_copy(update={"importance": None})


class Training(TrainingFacts):
    """`training.json`.

    Attributes:
        eval_loss: Per task the mean eval cross-entropy in nats, from epoch 0 on.
    """

    eval_loss: dict[str, tuple[float, ...]]

    @property
    def facts(self) -> TrainingFacts:
        """The training without its course epoch by epoch."""
        return TrainingFacts.model_validate(self.model_dump())
