"""The module file of TFX's Evaluator: loader of the model, and extractors.

The extractors keep rows in batches: one element per slice and jackknife group. TFMA splits batches
into rows and sends every row to each of its slices, where each metric reads it separately. Here the
rows of several batches are divided by slice and jackknife group at once and stay together as
arrays.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
from apache_beam.transforms import window
from apache_beam.utils import timestamp, windowed_value
from numpy.typing import NDArray
from tensorflow_model_analysis import constants
from tensorflow_model_analysis.api import model_eval_lib, types
from tensorflow_model_analysis.extractors import (
    example_weights_extractor,
    extractor,
    features_extractor,
    labels_extractor,
    predictions_extractor,
    slice_key_extractor,
)
from tensorflow_model_analysis.proto import config_pb2
from tensorflow_model_analysis.utils import util

from components.evaluator import jackknife
from components.evaluator.fold_scores import FOLD_SCORES
from components.evaluator.prediction_table import NOTHING, PredictionSource, current_source
from pipeline import names
from pipeline.errors import UserError
from trainer.served_model import KeywordModel

_MOST_ROWS = 16_384
_PREDICTIONS = constants.PREDICTIONS_KEY
_OF_SUBJECT = (constants.LABELS_KEY, constants.EXAMPLE_WEIGHTS_KEY)


def custom_eval_shared_model(
    eval_saved_model_path: str,
    model_name: str,
    eval_config: config_pb2.EvalConfig,
    **unused: object,
) -> types.EvalSharedModel:
    """Loads the model; TFX's Evaluator calls this function by name.

    Args:
        eval_saved_model_path: Folder of the SavedModel.
        model_name: Name of its model spec.
        eval_config: The configuration.
        **unused: Other arguments of TFX.

    Returns:
        TFMA's model, with another way of calling its signatures.
    """
    del unused
    shared = model_eval_lib.default_eval_shared_model(
        eval_saved_model_path=eval_saved_model_path,
        model_name=model_name,
        eval_config=eval_config,
    )
    loader = shared.model_loader
    return shared._replace(
        model_loader=types.ModelLoader(
            functools.partial(_load_for_keywords, loader.construct_fn), loader.tags
        )
    )


def _load_for_keywords(load: Callable[[], Any]) -> KeywordModel:
    return KeywordModel(load())


def custom_extractors(
    eval_shared_model: types.MaybeMultipleEvalSharedModels,
    eval_config: config_pb2.EvalConfig,
    tensor_adapter_config: object | None = None,
) -> list[extractor.Extractor]:
    """Builds the extractors; TFX's Evaluator calls this function by name.

    Args:
        eval_shared_model: The model or models to evaluate.
        eval_config: The configuration; its slicing specs name feature keys only.
        tensor_adapter_config: Unused.

    Returns:
        TFMA's extractors of features, labels, weights and predictions, then the one that
        groups rows by slice and jackknife group. Out of fold no model is called: the predictions
        are looked up.
    """
    del tensor_adapter_config
    slicings = [tuple(spec.feature_keys) for spec in eval_config.slicing_specs]
    tasks = list(eval_config.model_specs[0].label_keys)
    source = current_source()
    predict = [
        predictions_extractor.PredictionsExtractor(
            eval_config=eval_config, eval_shared_model=eval_shared_model
        )
    ]
    return [
        features_extractor.FeaturesExtractor(eval_config=eval_config),
        labels_extractor.LabelsExtractor(eval_config=eval_config),
        example_weights_extractor.ExampleWeightsExtractor(eval_config=eval_config),
        *([] if source.out_of_fold else predict),
        # The stage name that TFMA's evaluators expect: it adds the slice keys.
        extractor.Extractor(
            stage_name=slice_key_extractor.SLICE_KEY_EXTRACTOR_STAGE_NAME,
            ptransform=beam.ParDo(_GroupRows(slicings or [()], tasks, source)),
        ),
    ]


class _GroupRows(beam.DoFn):
    """Divides rows by slice key and jackknife group.

    The output has only labels, weights, predictions and the subject's hash.
    """

    def __init__(
        self,
        slicings: Sequence[tuple[str, ...]],
        tasks: Sequence[str],
        source: PredictionSource = NOTHING,
    ) -> None:
        """Initializes the function.

        Args:
            slicings: Feature keys of each slicing.
            tasks: Names of the model's outputs.
            source: Predictions to look up.
        """
        self._source = source
        self._kept = _OF_SUBJECT if source.out_of_fold else (*_OF_SUBJECT, _PREDICTIONS)
        self._slicings = list(slicings)
        self._tasks = list(tasks)
        self._keys = sorted({key for slicing in slicings for key in slicing})

    def setup(self) -> None:
        self._table = self._source.read()

    def start_bundle(self) -> None:
        self._pending: list[dict[str, Any]] = []
        self._rows = 0

    def process(self, extracts: types.Extracts) -> Iterator[types.Extracts]:
        features = extracts[constants.FEATURES_KEY]
        if names.SUBJECT_HASH not in features:
            raise UserError(
                f"The examples have no column {names.SUBJECT_HASH}: expected examples that "
                "TrialExampleGen wrote."
            )
        hashes = np.ravel(features[names.SUBJECT_HASH])
        rows = len(hashes)
        batch: dict[str, Any] = {kind: self._values(kind, extracts, rows) for kind in self._kept}
        if self._source.folders:
            batch[FOLD_SCORES] = self._looked_up(hashes)
        if self._source.out_of_fold:
            # TFMA demands predictions; the metrics read those of all repeats.
            batch[_PREDICTIONS] = {task: np.full(rows, np.nan, np.float32) for task in self._tasks}
        batch[constants.FEATURES_KEY] = {
            names.SUBJECT_HASH: hashes,
            **{key: _group_names(features.get(key), rows) for key in self._keys},
        }
        self._pending.append(batch)
        self._rows += rows
        if self._rows >= _MOST_ROWS:
            yield from self._grouped()
            self.start_bundle()

    def finish_bundle(self) -> Iterator[windowed_value.WindowedValue]:
        for extracts in self._grouped():
            yield windowed_value.WindowedValue(
                extracts, timestamp.MIN_TIMESTAMP, [window.GlobalWindow()]
            )

    def _values(self, kind: str, extracts: types.Extracts, rows: int) -> dict[str, Any]:
        """Labels, weights or predictions by task."""
        found = util.StandardExtracts(extracts)
        return {
            task: _one_per_row(kind, task, rows, found.get_by_key(kind, None, task))
            for task in self._tasks
        }

    def _looked_up(self, hashes: NDArray[Any]) -> dict[str, Any]:
        rows = self._table.rows_of(hashes)
        if self._source.out_of_fold and (rows < 0).any():
            raise UserError(
                f"{(rows < 0).sum()} subjects of the examples have no out-of-fold prediction. Run "
                "the pipeline again without cached stages."
            )
        return {
            "subject": rows,
            "fold": self._table.fold[rows],
            "score": {
                task: {
                    model: np.where(rows[:, None] < 0, np.float32(np.nan), values[rows])
                    for model, values in of_task.items()
                }
                for task, of_task in self._table.score.items()
            },
        }

    def _grouped(self) -> Iterator[types.Extracts]:
        if not self._pending:
            return
        rows = _joined(self._pending)
        features = rows.pop(constants.FEATURES_KEY)
        hashes = features[names.SUBJECT_HASH]
        groups = np.fromiter(map(jackknife.group_of, hashes), np.int64, len(hashes))
        for slicing in self._slicings:
            for slice_key, selected in _divided(slicing, features, groups):
                chosen: dict[str, Any] = _each_array(rows, operator.itemgetter(selected))
                chosen[constants.FEATURES_KEY] = {names.SUBJECT_HASH: hashes[selected]}
                chosen[constants.SLICE_KEY_TYPES_KEY] = [slice_key]
                yield chosen


def _divided(
    slicing: tuple[str, ...], features: Mapping[str, NDArray[Any]], groups: NDArray[np.int64]
) -> Iterator[tuple[tuple[tuple[str, str], ...], NDArray[np.int64]]]:
    """Rows of each slice key of a slicing, once for each jackknife group."""
    code = np.zeros(len(groups), np.int64)
    belongs = np.ones(len(groups), np.bool_)
    for key in slicing:
        values, inverse = np.unique(features[key], return_inverse=True)
        code = code * len(values) + inverse
        belongs &= features[key] != ""
    rows = np.flatnonzero(belongs)
    code = code[rows] * jackknife.GROUPS + groups[rows]
    order = np.argsort(code, kind="stable")
    first = np.flatnonzero(np.diff(code[order], prepend=-1))
    for selected in np.split(rows[order], first[1:]) if len(rows) else ():
        yield tuple((key, str(features[key][selected[0]])) for key in slicing), selected


def _group_names(column: Any, rows: int) -> NDArray[np.str_]:
    """Values of a slicing as text, empty if missing; [rows]."""
    if column is None:
        return np.full(rows, "")
    if isinstance(column, np.ndarray) and column.size == rows:
        return np.asarray([_text(value) for value in column.ravel()])
    # Some rows have no value: TFMA read the column as a sparse tensor.
    found = [""] * rows
    for (row, *_), value in zip(column.indices, column.values, strict=True):
        found[row] = _text(value)
    return np.asarray(found)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, np.ndarray):
        return _text(value[0]) if value.size else ""
    return value.decode() if isinstance(value, bytes) else str(value)


def _one_per_row(kind: str, task: str, rows: int, found: Any) -> NDArray[Any]:
    """The single value of each row; [rows]."""
    if not isinstance(found, np.ndarray) or found.size != rows:
        raise UserError(
            f"The Evaluator expected one value in {kind} of task {task} for each example of "
            f"the test split: columns {names.label_key(task)} and "
            f"{names.weight_key(task)} in the examples, and an output {task} of shape [batch, 1] "
            "of the model's signature. Make examples and model from the same study file."
        )
    return found.ravel()


def _joined(batches: Sequence[Any]) -> Any:
    first = batches[0]
    if isinstance(first, Mapping):
        return {key: _joined([batch[key] for batch in batches]) for key in first}
    return np.concatenate(batches)


def _each_array(tree: Any, function: Callable[[Any], NDArray[Any]]) -> Any:
    if isinstance(tree, Mapping):
        return {key: _each_array(value, function) for key, value in tree.items()}
    return function(tree)
