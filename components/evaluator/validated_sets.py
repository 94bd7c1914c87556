"""Intervals and sets of the subjects of another trial, as a registered model answers them.

They were calibrated on the model's own trial, whose population the subjects of another one are not
drawn from: nothing is promised of them, so what they are worth is measured.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.names import EXAMPLES_SIGNATURE
from pipeline.results.predictions import Predictions, write_predictions
from pipeline.results.uncertainty import PARTS, output_name
from trainer.served_model import KeywordModel, read_batches
from trainer.subjects import pseudonyms_of


def write_answered(model: str, examples: str, tasks: Sequence[str], folder: str) -> str | None:
    """Writes what the model's `serving_default` answers of each subject.

    Args:
        model: Folder of the SavedModel.
        examples: Folder of the split with the subjects.
        tasks: Tasks of the study, which are outputs of the signature.
        folder: Gets the predictions, with `pipeline.results.uncertainty.PARTS` as models.

    Returns:
        The folder; None where the model has intervals and sets of no task.
    """
    served = KeywordModel.load(model).signatures[EXAMPLES_SIGNATURE]
    hashes = [np.zeros(0, "S1")]
    found: dict[str, dict[str, list[NDArray[np.float32]]]] = {part: {} for part in PARTS}
    for serialized in read_batches(examples):
        outputs = served(serialized)
        hashes.append(pseudonyms_of(serialized))
        for task in tasks:
            if output_name(task, PARTS[0]) not in outputs:
                continue
            for part in PARTS:
                values = np.ravel(outputs[output_name(task, part)].numpy()).astype(np.float32)
                found[part].setdefault(task, []).append(values)
    if not any(found.values()):
        return None
    subjects = np.concatenate(hashes).astype(object)
    first = np.zeros(len(subjects), np.int16)
    of = {
        part: {task: np.concatenate(values) for task, values in of_task.items()}
        for part, of_task in found.items()
    }
    write_predictions(folder, Predictions(subjects, first, first, of))
    return folder
