"""Saves a model again with some of its outputs."""

from __future__ import annotations

from collections.abc import Sequence

from trainer.resaved import save_with_outputs


def save_with_tasks(source: str, target: str, tasks: Sequence[str]) -> None:
    """Saves a SavedModel with the outputs of some tasks in each of its signatures.

    Args:
        source: Folder of the SavedModel, a local path or a URI.
        target: Folder of the new one.
        tasks: Tasks that it serves.
    """
    save_with_outputs(source, target, lambda _, outputs: {task: outputs[task] for task in tasks})
