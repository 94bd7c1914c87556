import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from apache_beam.io.filesystems import FileSystems

from pipeline import storage
from pipeline.errors import UserError
from pipeline.results.registration import Candidate
from pipeline.runs.registry import NO_CHAMPION, Registry
from pipeline.swap import Seen, see
from tests.each import each
from tests.registered_models import documents

STUDY = "ACTG175"
DOCUMENTS = documents("data-1", "study-1")
CANDIDATE = Candidate(
    study=STUDY,
    split_seed=7,
    label_digest="labels-1",
    study_digest="study-1",
    fingerprint="data-1",
    code_version="0.1.0",
    run="run-1",
    metrics={"event/auc": 0.72},
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "registry"


@pytest.fixture
def registry(root: Path) -> Registry:
    return Registry(str(root))


def saved_model(folder: Path, content: str) -> str:
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_text(content)
    (folder / "variables" / "variables.index").write_text(f"weights of {content}")
    return str(folder)


def train_statistics(folder: Path, content: str) -> str:
    folder.mkdir(parents=True)
    (folder / "FeatureStats.pb").write_text(content)
    return str(folder)


def register(registry: Registry, folder: Path, name: str, candidate: Candidate = CANDIDATE) -> Any:
    return registry.register(
        candidate,
        saved_model(folder / name / "model", name),
        train_statistics(folder / name / "statistics", f"statistics of {name}"),
        documents=DOCUMENTS,
    ).entry


def as_an_earlier_release(root: Path, *without: str) -> None:
    """Makes a registry with one registration what 0.2.0 would have written: no trail.

    Args:
        root: Root of the registry.
        without: Keys that the entry does not have.
    """
    folder = root / STUDY
    shutil.rmtree(folder / "trail")
    (history,) = (folder / "history").iterdir()
    entry = json.loads(history.read_text())
    for key in without:
        del entry[key]
    history.write_text(json.dumps(entry, indent=2, sort_keys=True))
    (folder / "champion.json").write_bytes(history.read_bytes())


def register_again(registry: Registry, folder: Path) -> Any:
    """Registers the files of the model `first` once more."""
    first = folder / "first"
    given = (CANDIDATE, str(first / "model"), str(first / "statistics"))
    return registry.register(*given, documents=DOCUMENTS).entry


def test_a_new_study_has_no_champion(registry: Any) -> None:
    assert registry.champion(STUDY) is None
    assert registry.champion_token(STUDY) == NO_CHAMPION
    assert registry.history(STUDY) == ()


def test_a_registered_model_is_the_champion(registry: Any, tmp_path: Path) -> None:
    entry = register(registry, tmp_path, "first")

    assert registry.champion(STUDY) == entry
    assert Candidate.model_validate(entry.model_dump()) == CANDIDATE


def test_model_and_train_statistics_are_copied(registry: Any, tmp_path: Path) -> None:
    entry = register(registry, tmp_path, "first")

    model = Path(entry.model_uri)
    assert (model / "saved_model.pb").read_text() == "first"
    assert (model / "variables" / "variables.index").read_text() == "weights of first"
    statistics = Path(entry.statistics_uri) / "Split-train" / "FeatureStats.pb"
    assert statistics.read_text() == "statistics of first"


def test_history_keeps_every_registration_oldest_first(registry: Any, tmp_path: Path) -> None:
    entries = tuple(register(registry, tmp_path, name) for name in ("first", "second", "third"))

    assert registry.history(STUDY) == entries
    assert registry.champion(STUDY) == entries[-1]


def test_a_registration_leaves_earlier_files_of_the_history_as_they_were(
    registry: Any, root: Any, tmp_path: Path
) -> None:
    register(registry, tmp_path, "first")
    (path,) = (root / STUDY / "history").iterdir()
    before = path.read_bytes()

    register(registry, tmp_path, "second")

    assert path.read_bytes() == before


def test_studies_have_champions_of_their_own(registry: Any, tmp_path: Path) -> None:
    register(registry, tmp_path, "first")
    other = register(registry, tmp_path, "other", CANDIDATE.model_copy(update={"study": "IST"}))

    assert registry.champion("IST") == other
    assert registry.champion(STUDY).study == STUDY


def test_the_token_changes_with_the_champion_and_only_then(registry: Any, tmp_path: Path) -> None:
    register(registry, tmp_path, "first")
    first = registry.champion_token(STUDY)
    assert registry.champion_token(STUDY) == first

    register(registry, tmp_path, "second")

    assert registry.champion_token(STUDY) != first


def test_a_token_names_its_champion_after_another_one_was_registered(
    registry: Any, tmp_path: Path
) -> None:
    first = register(registry, tmp_path, "first")
    token = registry.champion_token(STUDY)
    register(registry, tmp_path, "second")

    assert registry.entry_of_token(STUDY, token) == first


def test_the_token_of_no_champion_names_none_even_after_a_registration(
    registry: Any, tmp_path: Path
) -> None:
    token = registry.champion_token(STUDY)
    register(registry, tmp_path, "first")

    assert registry.entry_of_token(STUDY, token) is None


def test_an_unknown_token_is_an_error_that_says_what_to_do(registry: Any, tmp_path: Path) -> None:
    register(registry, tmp_path, "first")

    with pytest.raises(UserError, match=r"no registration has the token .* create the run again"):
        registry.entry_of_token(STUDY, "0" * 64)


@pytest.mark.parametrize("failing_copy", ["models", "statistics"])
def test_a_registration_that_breaks_off_while_copying_changes_nothing(
    registry: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing_copy: Any
) -> None:
    first = register(registry, tmp_path, "first")
    copy = storage.copy_folder

    def breaks_off(source: str, target: str) -> None:
        copy(source, target)
        if f"/{failing_copy}/" in target:
            raise ConnectionError

    monkeypatch.setattr(storage, "copy_folder", breaks_off)
    with pytest.raises(ConnectionError):
        register(registry, tmp_path, "second")

    assert registry.champion(STUDY) == first
    assert registry.history(STUDY) == (first,)


def test_a_registration_that_breaks_off_before_the_pointer_is_no_champion(
    registry: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = register(registry, tmp_path, "first")
    write = storage.write_whole

    def breaks_off(path: str, content: bytes) -> None:
        if path.endswith("champion.json"):
            raise ConnectionError
        write(path, content)

    monkeypatch.setattr(storage, "write_whole", breaks_off)
    with pytest.raises(ConnectionError):
        register(registry, tmp_path, "second")

    assert registry.champion(STUDY) == first


def test_a_write_that_breaks_off_leaves_the_old_pointer_whole(
    registry: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = register(registry, tmp_path, "first")
    rename = FileSystems.rename

    def breaks_off(sources: list[str], targets: list[str]) -> None:
        if targets[0].endswith("champion.json"):
            raise ConnectionResetError
        rename(sources, targets)

    monkeypatch.setattr(FileSystems, "rename", breaks_off)
    with pytest.raises(UserError, match=r"champion\.json: the file system refused access"):
        register(registry, tmp_path, "second")

    assert registry.champion(STUDY) == first


def test_registrations_at_the_same_time_are_both_in_the_history(
    registry: Any, tmp_path: Path
) -> None:
    start = threading.Barrier(4)

    def one(number: int) -> Any:
        start.wait()
        return register(registry, tmp_path, f"model-{number}")

    with ThreadPoolExecutor(4) as threads:
        registered = list(threads.map(one, range(4)))

    assert {entry.id for entry in registry.history(STUDY)} == {entry.id for entry in registered}
    assert registry.champion(STUDY) in registered


def test_a_first_registration_that_ends_between_two_looks_is_seen(
    registry: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = register(registry, tmp_path, "first")
    looks = [Seen(None, "")]
    monkeypatch.setattr("pipeline.runs.trail.see", lambda path: looks.pop() if looks else see(path))

    second = register(registry, tmp_path, "second")

    assert not looks
    assert {entry.id for entry in registry.history(STUDY)} == {first.id, second.id}


def test_no_temporary_file_stays_behind(registry: Any, root: Any, tmp_path: Path) -> None:
    register(registry, tmp_path, "first")

    assert not [path for path in each(root.rglob("*")) if path.name.startswith(".")]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "JSON"),
        ("[]", "object"),
        ('{"id": "a"}', "study: Field required"),
        ("", "JSON"),
    ],
)
def test_a_damaged_pointer_is_an_error_that_says_what_to_do(
    registry: Any, root: Any, tmp_path: Path, content: Any, problem: Any
) -> None:
    register(registry, tmp_path, "first")
    (root / STUDY / "champion.json").write_text(content)

    for function in (registry.champion, registry.champion_token):
        with pytest.raises(UserError) as raised:
            function(STUDY)
        message = str(raised.value)
        assert str(root / STUDY / "champion.json") in message
        assert problem in message
        assert "Restore champion.json from a backup, or delete it and run `trial models" in message


def test_a_pointer_of_another_study_is_refused(registry: Any, root: Any, tmp_path: Path) -> None:
    register(registry, tmp_path, "first")
    (root / "IST").mkdir()
    (root / "IST" / "champion.json").write_bytes((root / STUDY / "champion.json").read_bytes())

    with pytest.raises(UserError, match="an entry of the study ACTG175, not IST"):
        registry.champion("IST")


def test_a_pointer_that_is_gone_though_there_is_a_trail_is_an_error(
    registry: Any, root: Any, tmp_path: Path
) -> None:
    register(registry, tmp_path, "first")
    (root / STUDY / "champion.json").unlink()

    with pytest.raises(UserError, match=r"missing, though there is an audit trail.*recover"):
        registry.champion(STUDY)


def test_the_pointer_of_an_earlier_release_names_its_champion(
    registry: Any, root: Any, tmp_path: Path
) -> None:
    first = register(registry, tmp_path, "first")
    token = registry.champion_token(STUDY)

    as_an_earlier_release(root)

    assert registry.champion(STUDY) == first
    assert registry.champion_token(STUDY) == token


def test_what_an_earlier_release_had_registered_is_the_first_entry_of_the_trail(
    registry: Any, root: Any, tmp_path: Path
) -> None:
    first = register(registry, tmp_path, "first")
    as_an_earlier_release(root)

    second = register(registry, tmp_path, "second")

    actions = [(entry.action, entry.champion) for entry in registry.book(STUDY).entries()]
    assert actions == [("adopted", first.id), ("registered", first.id), ("promoted", second.id)]


def test_a_registry_can_be_moved(registry: Any, root: Any, tmp_path: Path) -> None:
    register(registry, tmp_path, "first")
    root.rename(tmp_path / "elsewhere")

    champion = Registry(str(tmp_path / "elsewhere")).champion(STUDY)

    assert (Path(champion.model_uri) / "saved_model.pb").exists()  # type: ignore[union-attr]


def test_keys_of_a_later_release_are_ignored(registry: Any, root: Any, tmp_path: Path) -> None:
    entry = register(registry, tmp_path, "first")
    pointer = root / STUDY / "champion.json"
    pointer.write_text(json.dumps(json.loads(pointer.read_text()) | {"later": 1}))

    assert registry.champion(STUDY) == entry


def test_a_folder_without_a_saved_model_is_not_registered(registry: Any, tmp_path: Path) -> None:
    statistics = train_statistics(tmp_path / "statistics", "")

    with pytest.raises(UserError, match=r"saved_model\.pb not found"):
        registry.register(CANDIDATE, str(tmp_path), statistics)

    assert registry.champion(STUDY) is None


def test_the_champion_itself_is_not_registered_again(
    registry: Any, root: Any, tmp_path: Path
) -> None:
    first = register(registry, tmp_path, "first")
    token = registry.champion_token(STUDY)
    files = sorted(root.rglob("*"))
    later = CANDIDATE.model_copy(update={"run": "run-2", "metrics": {"event/auc": 0.73}})

    again = registry.register(
        later,
        str(tmp_path / "first" / "model"),
        train_statistics(tmp_path / "again", "statistics of first"),
        documents=DOCUMENTS,
    )

    assert again.entry == first
    assert registry.champion_token(STUDY) == token
    assert sorted(root.rglob("*")) == files


@pytest.mark.parametrize(
    "changed",
    ["saved_model.pb", "variables/variables.index", "assets/categories"],
    ids=["graph", "weights", "one file more"],
)
def test_model_that_differs_from_the_champion_in_one_file_is_registered(
    registry: Any, tmp_path: Path, changed: str
) -> None:
    first = register(registry, tmp_path, "first")
    other = tmp_path / "other"
    saved_model(other, "first")
    (other / changed).parent.mkdir(exist_ok=True)
    (other / changed).write_text("changed")

    statistics = train_statistics(tmp_path / "s", "other")
    second = registry.register(CANDIDATE, str(other), statistics, documents=DOCUMENTS).entry

    assert registry.champion(STUDY) == second
    assert second.id != first.id


@pytest.mark.parametrize("changed", [{"label_digest": "labels-2"}, {"split_seed": 8}])
def test_same_model_for_other_labels_or_another_division_is_registered(
    registry: Any, tmp_path: Path, changed: dict[str, Any]
) -> None:
    register(registry, tmp_path, "first")

    registry.register(
        CANDIDATE.model_copy(update=changed),
        str(tmp_path / "first" / "model"),
        str(tmp_path / "first" / "statistics"),
    )

    assert len(registry.history(STUDY)) == 2


def test_former_champion_can_become_the_champion_again(registry: Any, tmp_path: Path) -> None:
    register(registry, tmp_path, "first")
    register(registry, tmp_path, "second")

    again = register_again(registry, tmp_path)

    assert registry.champion(STUDY) == again
    assert len(registry.history(STUDY)) == 3


def test_champion_of_0_1_0_is_known_by_its_files(registry: Any, root: Any, tmp_path: Path) -> None:
    first = register(registry, tmp_path, "first")
    as_an_earlier_release(root, "model_digest", "digests", "documents", "dependency_lock")

    again = register_again(registry, tmp_path)

    assert again.id == first.id


def test_champion_whose_files_were_deleted_is_registered_again(
    registry: Any, tmp_path: Path
) -> None:
    first = register(registry, tmp_path, "first")
    shutil.rmtree(first.model_uri)

    again = register_again(registry, tmp_path)

    assert again.id != first.id
    assert (Path(again.model_uri) / "saved_model.pb").exists()


def test_a_registry_can_be_in_a_bucket(bucket: Any, tmp_path: Path) -> None:
    registry = Registry(f"s3://{bucket}/registry")
    first = register(registry, tmp_path, "first")
    second = register(registry, tmp_path, "second")

    assert registry.champion(STUDY) == second
    assert registry.history(STUDY) == (first, second)
    assert registry.entry_of_token(STUDY, registry.champion_token(STUDY)) == second
    assert storage.read(f"{second.model_uri}/saved_model.pb") == b"second"
