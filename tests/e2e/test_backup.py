"""The drill: a run's root is kept, a subject is forgotten, and what is restored serves the same."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.cli.main import main
from pipeline.names import SUBJECT_HASH
from pipeline.predictions.open_log import open_log
from pipeline.runs.registry import Registry
from tests.each import each
from tests.pipeline.forgetting.found_bytes import files_with
from tests.pipeline.predictions.hand_made import add, subjects_of
from tests.whole_runs import Run

pytestmark = pytest.mark.slow


def pseudonyms(root: Path, study: str) -> list[str]:
    """Subjects of the examples below a root, as TensorFlow reads them and their checksums."""
    import tensorflow as tf

    files = sorted((root / study / "artifacts" / "TrialExampleGen").glob("examples/*/Split-*/*.gz"))
    found = []
    for row in tf.data.TFRecordDataset([str(path) for path in files], compression_type="GZIP"):
        features = tf.train.Example.FromString(row.numpy()).features.feature
        found.append(features[SUBJECT_HASH].bytes_list.value[0].decode())
    return found


@pytest.fixture(scope="module")
def copy(first_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the run's root with a prediction log, which tests may change."""
    root = tmp_path_factory.mktemp("drill") / "runs"
    shutil.copytree(first_run.root, root)
    subjects = pseudonyms(root, first_run.study)[:2]
    add(open_log(str(root / "predictions")), *subjects, study=first_run.study)
    return root


@pytest.fixture(scope="module")
def kept(copy: Path) -> Path:
    """Its backup."""
    target = copy.parent / "kept"
    log = str(copy / "predictions")
    given = ["--root", str(copy), "--prediction-log", log]
    assert main(["backup", str(target), *given]) == 0
    return target


@pytest.fixture(scope="module")
def gone(copy: Path, kept: Path, first_run: Run) -> str:
    """A subject who was forgotten below the copied root, after the backup was taken."""
    assert kept.is_dir()
    subject = pseudonyms(copy, first_run.study)[0]
    assert len(files_with(copy, subject.encode())) >= 4
    log = str(copy / "predictions")
    given = ["--root", str(copy), "--prediction-log", log, "--pseudonym"]
    forgotten = ["--forgotten", str(copy.parent / "forgotten.json")]
    assert main(["forget", first_run.study, subject, *given, *forgotten]) == 0
    return subject


@pytest.fixture(scope="module")
def restored(copy: Path, kept: Path, gone: str) -> Path:
    """What is restored from the backup."""
    assert gone
    root = copy.parent / "restored"
    given = ["--root", str(root), "--prediction-log", str(root / "predictions")]
    forgotten = ["--forgotten", str(copy.parent / "forgotten.json")]
    assert main(["restore", str(kept), *given, *forgotten]) == 0
    return root


def test_no_file_below_the_root_has_the_forgotten_subject(
    copy: Path, gone: str, first_run: Run
) -> None:
    assert files_with(copy, gone.encode()) == []
    left = pseudonyms(copy, first_run.study)
    assert len(left) > 500
    assert sorted([*left, gone]) == sorted(pseudonyms(first_run.root, first_run.study))


def test_the_cache_gives_the_examples_to_no_later_run(
    copy: Path, gone: str, first_run: Run
) -> None:
    assert gone
    given = [_cached(root / first_run.study / "metadata.sqlite") for root in (first_run.root, copy)]
    stages = {"TrialExampleGen", "StatisticsGen"}
    assert given[0] >= stages
    assert given[1] & stages == {"StatisticsGen"}


def _cached(metadata: Path) -> set[str]:
    """Stages whose outputs TFX takes from the cache."""
    from ml_metadata.proto import metadata_store_pb2
    from tfx.orchestration import metadata as tfx_metadata
    from tfx.orchestration.portable import cache_utils

    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(metadata)
    found = set()
    with tfx_metadata.Metadata(config) as handle:
        for context in handle.store.get_contexts_by_type("execution_cache"):
            outputs = cache_utils.get_cached_outputs(handle, context) or {}
            for artifacts in outputs.values():
                found |= {artifact.uri.split("/")[-3] for artifact in artifacts}
    return found


def test_registry_store_and_log_are_as_they_were(
    first_run: Run, copy: Path, restored: Path, gone: str
) -> None:
    assert main(["models", "verify", "--study", first_run.study, "--root", str(restored)]) == 0
    dumps = [list(_dump(root / "store.sqlite")) for root in (copy, restored)]
    assert len(dumps[0]) > 100
    assert dumps[0] == dumps[1]
    study = first_run.study
    logs = [open_log(str(root / "predictions")).read(study) for root in (copy, restored)]
    found = [subjects_of(log) for log in logs]
    assert found[0] == found[1]
    assert len(found[0]) == 2
    assert files_with(restored, gone.encode()) == []


def _dump(path: Path) -> Iterator[str]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        yield from connection.iterdump()


def test_the_service_answers_with_the_same_digest(first_run: Run, restored: Path) -> None:
    from pipeline.service.app import create_app
    from pipeline.service.follower import Follower
    from tests.pipeline.service.running import running

    answers = []
    for root in each((first_run.root, restored)):
        follower = Follower(Registry(str(root / "registry")), first_run.study)
        with running(create_app(follower)) as client:
            answer = client.get(f"/v2/models/{first_run.study}")
            assert answer.status_code == 200, answer.text
            answers.append(answer.json())
            served = client.post("/predict", json={"subject": {}})
            answers.append(served.json())
    assert "sha256:" in str(answers[0]) + str(answers[1])
    assert answers[:2] == answers[2:]
