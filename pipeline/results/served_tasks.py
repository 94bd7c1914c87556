"""Which tasks a model serves, and why not the others: `assets.extra/tasks.json` of a SavedModel."""

from __future__ import annotations

import hashlib

from pipeline.documents import Document
from pipeline.results.task_verdicts import TaskVerdict

TASKS_FILE = "assets.extra/tasks.json"
"""Path below the folder of a SavedModel; TensorFlow leaves `assets.extra` to its users."""


class ServedTasks(Document):
    """The tasks of a served model.

    Attributes:
        study: Name of the study.
        tasks: The verdict on each task of the study, with reasons.
        trained_model: SHA-256 of the files of the model as Trainer wrote it.
    """

    study: str
    tasks: dict[str, TaskVerdict]
    trained_model: str

    @property
    def blessed(self) -> tuple[str, ...]:
        """Tasks that the model serves."""
        return tuple(task for task, found in self.tasks.items() if found.verdict == "blessed")

    @property
    def digest(self) -> str:
        """Identity of the model: that of the trained one and of what it serves.

        TensorFlow writes a random identifier into each SavedModel, so the files of two models that
        were restricted in the same way differ.
        """
        if len(self.blessed) == len(self.tasks):
            return self.trained_model
        return hashlib.sha256("\0".join((self.trained_model, *self.blessed)).encode()).hexdigest()
