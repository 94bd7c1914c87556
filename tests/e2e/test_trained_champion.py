"""A new user's way: run, score a file with the champion, ask the service; one number everywhere."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from pipeline.names import EXAMPLES_SIGNATURE, SUBJECT_HASH
from tests.each import each
from tests.whole_runs import REPOSITORY, Run, environment

pytestmark = pytest.mark.slow

AS_SHOWN = 3
"""Digits of a probability on the service's page."""


@pytest.fixture(scope="module")
def examples(first_run: Run) -> Mapping[str, bytes]:
    """The run's own examples of all splits, by pseudonym."""
    import tensorflow as tf

    found = {}
    for path in first_run.output("TrialExampleGen", "examples").glob("Split-*/*"):
        for row in tf.data.TFRecordDataset([str(path)], compression_type="GZIP"):
            features = tf.train.Example.FromString(row.numpy()).features.feature
            found[features[SUBJECT_HASH].bytes_list.value[0].decode()] = row.numpy()
    return found


@pytest.fixture(scope="module")
def trained(first_run: Run, examples: Mapping[str, bytes]) -> Mapping[str, NDArray[Any]]:
    """What the trained model predicts of them, `[n]` by task, in their order."""
    import tensorflow as tf

    model = tf.saved_model.load(str(first_run.output("Trainer", "model") / "Format-Serving"))
    outputs = model.signatures[EXAMPLES_SIGNATURE](tf.constant(list(examples.values())))
    return {name: values.numpy() for name, values in outputs.items()}


@pytest.fixture(scope="module")
def scored(first_run: Run, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """The run's own trial, scored with its champion, by pseudonym."""
    folder = tmp_path_factory.mktemp("scored")
    out = folder / "predictions.parquet"
    (data,) = (first_run.root / "data").iterdir()
    # Others look at all files of the run.
    shutil.copytree(first_run.root, folder / "runs")
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "pipeline.cli", "score", first_run.study, str(data)),
            *("--root", str(folder / "runs"), "--out", str(out), "--json"),
        ],
        cwd=REPOSITORY,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return pd.read_parquet(out).set_index("subject_hash")


@pytest.fixture(scope="module")
def served(first_run: Run, scored: pd.DataFrame, examples: Mapping[str, bytes]) -> pd.DataFrame:
    """What the service answers of twenty of the subjects, by pseudonym."""
    import tensorflow as tf

    from pipeline.runs.registry import Registry
    from pipeline.service.app import create_app
    from pipeline.service.follower import Follower
    from tests.pipeline.service.running import running

    follower = Follower(Registry(str(first_run.root / "registry")), first_run.study)
    assert follower.served.champion
    columns = [column.name for column in follower.served.champion.inputs.columns]
    found = {}
    with running(create_app(follower)) as client:
        for subject in list(scored.index.intersection(list(examples)))[:20]:
            features = tf.train.Example.FromString(examples[subject]).features.feature
            values = {name: _value(features[name]) for name in columns if name in features}
            answer = client.post("/predict", json={"subject": values})
            assert answer.status_code == 200, answer.text
            predictions = answer.json()["predictions"]
            found[subject] = {task: told["probability"] for task, told in predictions.items()}
    return pd.DataFrame.from_dict(found, orient="index")


def _value(feature: Any) -> Any:
    kind = feature.WhichOneof("kind")
    if kind is None:
        return None
    (value,) = getattr(feature, kind).value
    return value.decode() if isinstance(value, bytes) else value


def test_scoring_gives_the_number_of_the_trained_model_for_every_subject(
    scored: pd.DataFrame,
    examples: Mapping[str, bytes],
    trained: Mapping[str, NDArray[Any]],
) -> None:
    tasks = [task for task in trained if task in scored.columns]
    assert len(examples) > 500
    for task in each(tasks):
        of_scoring = scored.loc[pd.Index(list(examples)), task].to_numpy(np.float64)
        assert np.abs(of_scoring - trained[task][:, 0]).max() <= 1e-6, task
        shown = [_shown(values) for values in (of_scoring, trained[task][:, 0])]
        assert shown[0] == shown[1], task


def test_the_service_gives_the_same_number(served: pd.DataFrame, scored: pd.DataFrame) -> None:
    assert len(served) == 20
    for task in each(served.columns):
        of_scoring = scored.loc[served.index, task].to_numpy(np.float64)
        assert served[task].to_numpy(np.float64) == pytest.approx(of_scoring, abs=1e-6), task


def _shown(values: NDArray[np.floating[Any]]) -> list[str]:
    return [f"{value:.{AS_SHOWN}f}" for value in values]
