"""The champion's predictions of those subjects that it may be compared on.

Its division (`pipeline.results.division`) says who was in which part or fold of its run. Under
`split` the champion's model predicts the test subjects that it was neither trained, stopped nor
calibrated on. Out of fold the champion's run has predicted its own subjects by models that never
saw them; subjects who are new since are predicted by the champion's model, and compared apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.evaluator.prediction_table import CHAMPION_OF_NEW, PredictionTable
from pipeline.names import CHAMPION, SPLITS
from pipeline.results.division import Division
from pipeline.results.evaluation_plan import EvaluationPlan
from pipeline.results.predictions import (
    NOT_IN_REPEAT,
    Predictions,
    join_folds,
    read_predictions,
    write_predictions,
)

_TEST = SPLITS.index("test")
_FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class ChampionScores:
    """Whom the champion is compared on.

    Attributes:
        predictions: Probabilities of the models `champion` and, out of fold, `champion_of_new`.
        compared: Subjects on which champion and challenger are compared.
        new: Subjects who are new since the champion's run; under `split` they are among those
            compared.
        left_out: Evaluated subjects that the champion was trained, stopped or calibrated on, or,
            out of fold, who changed their fold.
    """

    predictions: Predictions
    compared: int
    new: int
    left_out: int

    def write(self, folder: str) -> str | None:
        """Writes the predictions to a folder.

        Returns:
            The folder; None where the champion predicts no subject.
        """
        if not self.compared and not self.new:
            return None
        write_predictions(folder, self.predictions)
        return folder


def score_subjects(
    model: str,
    examples: str,
    division: Division,
    plan: EvaluationPlan,
    own: str | None,
    tasks: Sequence[str],
) -> ChampionScores:
    """Predicts, or looks up, the subjects that the champion may be compared on.

    Args:
        model: Folder of the champion's SavedModel.
        examples: Folder of the evaluated split's examples.
        division: Who was where in the champion's run.
        plan: How this run evaluates its model; the champion's run used the same scheme.
        own: Out of fold the folder of this run's predictions.
        tasks: Tasks to predict, which the champion serves.

    Raises:
        UserError: The model can't process the examples.
    """
    if plan.out_of_fold and own is not None:
        return _out_of_fold(model, examples, division, plan, own, tasks)
    return _on_test_split(model, examples, division, tasks)


def _on_test_split(
    model: str, examples: str, division: Division, tasks: Sequence[str]
) -> ChampionScores:
    known, dealt = join_folds([division.rows])
    seen = known[dealt[:, 0] != _TEST]
    subjects, scores, evaluated = _predict(model, examples, tasks, without=seen)
    first = np.zeros(len(subjects), np.int16)
    return ChampionScores(
        Predictions(subjects.astype(object), first, first, {CHAMPION: _by_task(tasks, scores)}),
        compared=len(subjects),
        new=int((~np.isin(subjects, known)).sum()),
        left_out=evaluated - len(subjects),
    )


def _out_of_fold(
    model: str,
    examples: str,
    division: Division,
    plan: EvaluationPlan,
    own: str,
    tasks: Sequence[str],
) -> ChampionScores:
    table = PredictionTable.of([read_predictions(own)])
    champion = PredictionTable.of([division.rows])
    rows = champion.rows_of(table.subjects)
    shape = table.fold.shape
    common = min(shape[1], champion.fold.shape[1])
    shared = rows >= 0
    if plan.scheme == "cross_fit":
        # Within a fold each model's predictions come from one model.
        same = champion.fold[rows, :common] == table.fold[:, :common]
        shared &= same.all(axis=1)
    scores = np.full((*shape, len(tasks)), np.nan, np.float32)
    for number, task in enumerate(tasks):
        found = champion.score.get(task, {}).get(CHAMPION)
        if found is not None:
            scores[shared, :common, number] = found[rows[shared], :common]
    of_new = np.full_like(scores, np.nan)
    is_new = rows < 0
    if is_new.any():
        subjects, predicted, _ = _predict(model, examples, tasks, only=table.subjects[is_new])
        of_new[np.searchsorted(table.subjects, subjects)] = predicted[:, np.newaxis]
    place, repeat = np.nonzero(table.fold != NOT_IN_REPEAT)
    predictions = Predictions(
        table.subjects[place].astype(object),
        repeat.astype(np.int16),
        table.fold[place, repeat],
        {
            name: _by_task(tasks, found[place, repeat])
            for name, found in ((CHAMPION, scores), (CHAMPION_OF_NEW, of_new))
        },
    )
    compared, new = int(shared.sum()), int(is_new.sum())
    return ChampionScores(predictions, compared, new, len(rows) - compared - new)


def _by_task(tasks: Sequence[str], scores: _FloatArray) -> dict[str, _FloatArray]:
    return {task: scores[:, number] for number, task in enumerate(tasks)}


def _predict(
    model: str,
    examples: str,
    tasks: Sequence[str],
    only: NDArray[np.bytes_] | None = None,
    without: NDArray[np.bytes_] | None = None,
) -> tuple[NDArray[np.bytes_], _FloatArray, int]:
    """Predicts subjects by a model.

    Returns:
        Pseudonyms, bytes `[subjects]`, probabilities `[subjects, tasks]`, and the number of all
        subjects of the examples.
    """
    # TensorFlow takes seconds to import.
    from trainer.served_model import KeywordModel, read_batches
    from trainer.subjects import pseudonyms_of

    served = KeywordModel.load(model)
    subjects, scores, total = [np.zeros(0, "S1")], [np.zeros((0, len(tasks)), np.float32)], 0
    for serialized in read_batches(examples):
        hashes = pseudonyms_of(serialized)
        total += len(hashes)
        kept = np.ones(len(hashes), bool)
        if only is not None:
            kept &= np.isin(hashes, only)
        if without is not None:
            kept &= ~np.isin(hashes, without)
        if kept.any():
            subjects.append(hashes[kept])
            scores.append(served.probabilities(serialized[kept], tasks))
    return np.concatenate(subjects), np.concatenate(scores), total
