"""Saves a model again with some of its outputs, and how far to trust each."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline import storage
from pipeline.results.uncertainty import SERVED_FILE, Uncertainty
from trainer.resaved import Inputs, Outputs, save_with_outputs
from trainer.uncertainty.served import with_uncertainty


def save_with_tasks(
    source: str, target: str, tasks: Sequence[str], uncertainty: Uncertainty
) -> None:
    """Saves a SavedModel with the outputs of some tasks in each of its signatures.

    The signatures that predict get interval and set beside each prediction.

    Args:
        source: Folder of the SavedModel, a local path or a URI.
        target: Folder of the new one.
        tasks: Tasks that it serves.
        uncertainty: Intervals and sets of all tasks of the study.
    """
    of_tasks = uncertainty.of_tasks(tuple(tasks))

    def change(signature: str, inputs: Inputs, outputs: Outputs) -> Outputs:
        served = {task: outputs[task] for task in tasks}
        return with_uncertainty(signature, inputs, served, of_tasks)

    save_with_outputs(source, target, change)
    storage.write_whole(f"{target}/{SERVED_FILE}", of_tasks.model_dump_json().encode())
