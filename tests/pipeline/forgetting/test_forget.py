"""After a subject was forgotten no file below the root has its pseudonym or its key."""

from __future__ import annotations

import fcntl
import gzip
import io
import json
import shutil
import stat
from pathlib import Path
from threading import Thread

import pyarrow.parquet as pq
import pytest

from pipeline import storage
from pipeline.cli.main import main
from pipeline.errors import UserError
from pipeline.forgetting.cache import METADATA, bar_executions
from pipeline.forgetting.forget import UNFINISHED, Forgetting, forget_subjects
from pipeline.forgetting.kinds import LEFT, LOGGED, REMOVED, REWRITTEN
from pipeline.outputs.output import Disclosure
from pipeline.outputs.register import REGISTER
from pipeline.runs.alive import living_run
from pipeline.runs.forgotten import (
    add_forgotten,
    newly_forgotten,
    read_forgotten,
    write_forgotten,
)
from pipeline.runs.registry import Registry
from pipeline.subject_key import KEY_VARIABLE
from pipeline.swap import LOCK
from tests.each import each
from tests.pipeline.forgetting.found_bytes import files_with
from tests.pipeline.forgetting.hand_made import (
    EXAMPLES,
    JANE,
    JOHN,
    KEY,
    RUN,
    SCORED,
    STUDY,
    TABLES,
    example,
    jane,
    made_root,
    records_of,
)


@pytest.fixture(scope="module")
def example_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root in which Jane is everywhere."""
    root = tmp_path_factory.mktemp("example") / "runs"
    made_root(root)
    return root


@pytest.fixture
def root(example_root: Path, tmp_path: Path) -> Path:
    """A copy of it, which a test may change."""
    shutil.copytree(example_root, tmp_path / "runs")
    return tmp_path / "runs"


def forget_jane(root: Path) -> Forgetting:
    return forget_subjects(root, str(root / "registry"), str(root / "predictions"), jane())


def test_every_output_with_rows_of_subjects_is_handled_or_explained() -> None:
    """A new kind of output with rows of subjects needs its place in `pipeline.forgetting.kinds`."""
    handled = [*REWRITTEN, *REMOVED, *LOGGED, *LEFT]
    with_rows = [o.name for o in REGISTER if o.disclosure is Disclosure.PATIENT]
    assert sorted(handled) == sorted(with_rows)


def test_nothing_below_the_root_has_the_subject_any_more(root: Path) -> None:
    before = files_with(root, JANE.encode(), b"Jane")
    assert len(before) > len(TABLES) + len(EXAMPLES) + 5
    forget_jane(root)
    assert files_with(root, JANE.encode(), b"Jane") == []


def test_all_other_subjects_stay(root: Path) -> None:
    forget_jane(root)
    for name in each(TABLES):
        table = pq.read_table(root / STUDY / name)
        found = [
            value if isinstance(value, str) else value.decode() for value in table[0].to_pylist()
        ]
        assert (found, table["fold"].to_pylist()) == ([JOHN], [1]), name
        assert table.schema.metadata[b"kept"] == b"as it was"
    for name in each(EXAMPLES):
        content = gzip.decompress((root / STUDY / name).read_bytes())
        assert records_of(content) == [example(JOHN), example("")], name
    assert (root / "logs" / "of-another-study.log").read_bytes() == b"its own"
    assert Registry(str(root / "registry")).champion(STUDY) is not None


def test_it_is_counted_by_kind_and_models_are_named(root: Path) -> None:
    found = forget_jane(root)
    assert found.rows == {
        "examples": 3,
        "parts and folds of subjects": 2,
        "copy of the champion's division": 2,
        "predictions of models that never saw the subject": 6,
        "scored subjects": 2,
        "predictions of a scoring": 2,
        "division of a registered model": 1,
        "prediction log": 2,
    }
    assert found.files["snapshot of a database"] == 2
    assert found.files["log of a run"] == 2
    assert found.files[UNFINISHED] == 2
    assert found.runs == [RUN, SCORED]
    champion = Registry(str(root / "registry")).champion(STUDY)
    assert champion
    assert found.models == [champion.id]


def test_a_log_that_does_not_answer_leaves_all_for_the_next_try(root: Path) -> None:
    before = files_with(root, JANE.encode(), b"Jane")
    nowhere = "postgresql://owner@127.0.0.1:9/none"
    with pytest.raises(UserError, match="prediction log"):
        forget_subjects(root, str(root / "registry"), nowhere, jane())
    assert files_with(root, JANE.encode(), b"Jane") == before

    again = forget_jane(root)

    assert (again.runs, len(again.models)) == ([RUN, SCORED], 1)


def test_runs_and_models_are_named_before_anything_is_removed(root: Path) -> None:
    """A command that dies on its way has said what a repeated one no longer finds."""
    before = files_with(root, JANE.encode(), b"Jane")
    told: list[tuple[list[str], int, bool]] = []

    def tell(found: Forgetting) -> None:
        is_whole = files_with(root, JANE.encode(), b"Jane") == before
        told.append((list(found.runs), len(found.models), is_whole))

    forget_subjects(root, str(root / "registry"), str(root / "predictions"), jane(), tell)

    assert told == [([RUN, SCORED], 1, True)]


def test_of_two_commands_at_once_each_adds_its_subject(tmp_path: Path) -> None:
    path = tmp_path / "forgotten.json"
    john = newly_forgotten(STUDY, [JOHN])
    storage.file_systems()
    other = Thread(target=add_forgotten, args=(str(path), newly_forgotten(STUDY, [JANE])))
    with Path(f"{path}{LOCK}").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        other.start()
        # The other one waits for the lock, whenever it has read the list.
        other.join(0.05)
        write_forgotten(str(path), john)
    other.join()

    found = read_forgotten(str(path)).of(STUDY)
    assert (found.has(JANE.encode()), found.has(JOHN.encode())) == (True, True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_readers_of_a_file_stay_the_same(root: Path) -> None:
    path = root / STUDY / EXAMPLES[0]
    path.chmod(0o640)
    forget_jane(root)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_who_is_not_there_changes_no_rows(root: Path) -> None:
    forget_jane(root)
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    again = forget_jane(root)
    assert not again.rows.total()
    assert not again.files
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("kind", ["", "validation", "scoring"])
def test_while_a_run_is_alive_nothing_is_removed(kind: str, root: Path) -> None:
    before = files_with(root, JANE.encode())
    with living_run(root / STUDY / kind), pytest.raises(UserError, match="a run is under way"):
        forget_jane(root)
    assert files_with(root, JANE.encode()) == before


@pytest.mark.parametrize("name", [TABLES[0], EXAMPLES[0]])
def test_a_damaged_file_is_named(name: str, root: Path) -> None:
    path = root / STUDY / name
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(UserError, match=f"{path.name}: the file can't be read: it is damaged"):
        forget_jane(root)


def test_what_was_rewritten_is_no_longer_taken_from_the_cache(tmp_path: Path) -> None:
    from ml_metadata.metadata_store import metadata_store
    from ml_metadata.proto import metadata_store_pb2 as pb

    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = str(tmp_path / METADATA)
    config.sqlite.connection_mode = pb.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    store = metadata_store.MetadataStore(config)
    kind = store.put_artifact_type(pb.ArtifactType(name="Examples"))
    stage = store.put_execution_type(pb.ExecutionType(name="TrialExampleGen"))
    states = (pb.Execution.COMPLETE, pb.Execution.CACHED, pb.Execution.COMPLETE)
    executions = store.put_executions(
        [pb.Execution(type_id=stage, last_known_state=state) for state in states]
    )
    artifacts = store.put_artifacts(
        [
            pb.Artifact(type_id=kind, uri=f"/old/root/ist/artifacts/TrialExampleGen/examples/{n}")
            for n in (1, 3)
        ]
    )
    written = zip((artifacts[0], artifacts[0], artifacts[1]), executions, strict=True)
    store.put_events(
        [
            pb.Event(artifact_id=artifact, execution_id=execution, type=pb.Event.Type.OUTPUT)
            for artifact, execution in written
        ]
    )

    assert bar_executions(tmp_path / METADATA, {"TrialExampleGen/examples/1"}) == 2

    found = [execution.last_known_state for execution in store.get_executions()]
    assert found == [pb.Execution.CANCELED, pb.Execution.CANCELED, pb.Execution.COMPLETE]


def test_the_command_keeps_lists_without_the_pseudonym(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    monkeypatch.setenv("TRIAL_PREDICTION_LOG", str(root / "predictions"))
    kept = root.parent / "forgotten.json"
    places = ["--root", str(root), "--forgotten", str(kept)]
    monkeypatch.setattr("sys.stdin", io.StringIO("Jane\n"))

    assert main(["forget", STUDY, "-", *places, "--json"]) == 0

    shown = capsys.readouterr()
    assert json.loads(shown.out)["rows"]["examples"] == 3
    assert "Jane" not in shown.out + shown.err
    assert JANE not in shown.out + shown.err
    for path in each((kept, root / "registry-subjects" / STUDY / "forgotten.json")):
        found = read_forgotten(str(path)).of(STUDY)
        assert (found.has(JANE.encode()), found.has(JOHN.encode())) == (True, False)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert files_with(root.parent / "runs", JANE.encode(), b"Jane") == []
    # Who is forgotten later is added.
    assert main(["forget", STUDY, JOHN, "--pseudonym", *places]) == 0
    assert len(read_forgotten(str(kept)).of(STUDY).digests) == 2
    assert files_with(root, JOHN.encode()) == []


def test_a_key_is_not_taken_for_a_pseudonym(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["forget", STUDY, "Jane", "--pseudonym", "--root", str(root)]) == 2
    assert "32 hexadecimal digits" in capsys.readouterr().err
