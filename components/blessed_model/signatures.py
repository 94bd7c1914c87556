"""Saves a model again with some of its outputs, and how far to trust each."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline import storage
from pipeline.names import slice_key
from pipeline.results.contributions import EXPLAINING
from pipeline.results.signatures import COLUMNS_SIGNATURE, SLICES_SIGNATURE
from pipeline.results.uncertainty import SERVED_FILE, Uncertainty
from trainer.resaved import Inputs, MoreInputs, Outputs, save_with_outputs
from trainer.uncertainty.served import ServedUncertainty


def save_with_tasks(
    source: str,
    target: str,
    tasks: Sequence[str],
    uncertainty: Uncertainty,
    slicings: Sequence[str] = (),
) -> None:
    """Saves a SavedModel with the outputs of some tasks in each of its signatures.

    The signatures that predict get interval and set beside each prediction. Where the study has
    slicings, one more predicts by columns and takes the value of each slicing too, so that its sets
    are those of the subject's groups.

    Args:
        source: Folder of the SavedModel, a local path or a URI.
        target: Folder of the new one.
        tasks: Tasks that it serves.
        uncertainty: Intervals and sets of all tasks of the study.
        slicings: Names of the study's slicings.
    """
    of_tasks = uncertainty.of_tasks(tuple(tasks))

    beside = ServedUncertainty(of_tasks)

    def change(signature: str, inputs: Inputs, outputs: Outputs) -> Outputs:
        served = {task: outputs[task] for task in tasks}
        return beside.added(signature, inputs, served)

    by_slices = MoreInputs(SLICES_SIGNATURE, COLUMNS_SIGNATURE, tuple(map(slice_key, slicings)))
    # With all tasks, contributions are served as they were trained: tracing them again is dear.
    kept = set(EXPLAINING) if uncertainty.tasks.keys() == set(tasks) else ()
    save_with_outputs(source, target, change, by_slices if slicings else None, kept)
    storage.write_whole(f"{target}/{SERVED_FILE}", of_tasks.model_dump_json().encode())
