"""What version 0.1.0 left behind is read: records, documents, store and registry.

`root-0.1.0.tar.xz` is the root of a run of the synthetic trial (5,000 subjects) that 0.1.0 made,
without the stages' intermediate artifacts; `{root}` stands for the path of the root.
"""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.evaluator.champion import OTHER_DEAL
from grafana.page.write_boards import write_boards
from notebooks.opened_run import OpenedRun, open_run
from pipeline.pages.write_report import write_report
from pipeline.results.reference_models import TITLES
from pipeline.runs.publish import publish
from pipeline.runs.registry import Registry
from pipeline.runs.run_file import find_run, read_run_file
from pipeline.runs.verify import verify
from pipeline.store.export import export_local_run
from pipeline.store.sqlite_file import sqlite_address
from pipeline.titles import NAMES
from tests.each import each
from tests.verdict_texts import note_texts
from tests.whole_runs import SUBJECTS, Run, run_pipeline, split_study

ARCHIVE = Path(__file__).parent / "root-0.1.0.tar.xz"
AUC = {"hepatic_ae": 0.7275905118601748, "response": 0.752434215820391, "worsening": 0.7599}


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("root-0.1.0")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(root, filter="data")
    for file in [*root.rglob("*.json"), *root.rglob("*.html")]:
        file.write_text(file.read_text().replace("{root}", str(root)))
    return root


@pytest.fixture
def root(extracted: Path) -> Iterator[Path]:
    """The root with a store of its own: the tests migrate it."""
    store = extracted / "store.sqlite"
    original = store.read_bytes()
    yield extracted
    store.write_bytes(original)


@pytest.fixture
def run(root: Path) -> OpenedRun:
    return open_run(root=root)


def test_the_report_of_a_run_is_written(root: Path) -> None:
    folder = find_run("", root)
    report = write_report(folder, read_run_file(folder)).read_text()
    assert "Kaplan-Meier" in report
    assert "0.728" in report


@pytest.mark.parametrize("task", sorted(AUC))
def test_notebooks_open_a_run_with_its_metrics(run: OpenedRun, task: str) -> None:
    found = [
        record.value
        for record in run.metrics.records
        if (record.task, record.metric, record.slice) == (task, "auc", {})
    ]
    assert found == [pytest.approx(AUC[task], abs=1e-4)]


def test_metrics_have_the_names_of_today(run: OpenedRun) -> None:
    names = {record.metric for record in run.metrics.records}
    assert {"sensitivity", "positive_predictive_value"} <= names
    assert not names & {"recall", "precision"}


def test_every_document_of_a_run_is_read(run: OpenedRun) -> None:
    assert run.verdict.blessed
    assert run.curves.curves
    assert run.result.registration.registered
    assert run.result.counts.datasets
    assert run.study.study == "synthetic"


def test_the_output_of_a_stage_that_was_renamed_is_found(run: OpenedRun) -> None:
    assert run.file.output("ChampionModel", "statistics")


def test_the_store_is_migrated_and_its_boards_are_shown(root: Path) -> None:
    page = root / "boards.html"
    # An export migrates a store in a file.
    export_local_run(find_run("", root), sqlite_address(root / "store.sqlite"))
    write_boards(sqlite_address(root / "store.sqlite"), page)
    assert "hepatic_ae" in page.read_text()


def test_a_run_is_exported_into_a_new_store(root: Path, tmp_path: Path) -> None:
    address = sqlite_address(tmp_path / "store.sqlite")
    assert export_local_run(find_run("", root), address) > 1_000


def test_the_champion_is_in_the_registry(root: Path) -> None:
    champion = Registry(str(root / "registry")).champion("synthetic")
    assert champion is not None
    assert champion.id == "dd9b494dc9fa4b46"


def test_the_champion_has_no_card_so_no_server_gets_it_and_a_check_says_so(
    root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    registry, serving = str(root / "registry"), tmp_path / "serving"
    (serving / "1700000000").mkdir(parents=True)
    (serving / "1700000000" / "saved_model.pb").write_text("pushed by 0.1.0")

    assert publish(registry, "synthetic", str(serving)) is None

    assert not list(serving.iterdir())
    assert "holds no card.json and no verdict.json of dd9b494dc9fa4b46" in caplog.text
    [problem] = verify(registry, "synthetic").problems
    assert problem.startswith("The champion must not be served: The registry holds no card.json")


@pytest.mark.slow
def test_a_run_of_today_is_not_compared_with_the_champion_of_then(
    root: Path, tmp_path: Path
) -> None:
    """0.1.0 divided the subjects in another way: its training subjects may be in the test split."""
    own = tmp_path / "runs"
    shutil.copytree(root, own)
    study = ("--study", str(split_study(tmp_path / "study")))
    found: Run = run_pipeline(own, *study, "--subjects", "5000", "--steps", "40")
    assert found.code == 0, found.terminal
    assert SUBJECTS < 5000
    models = {record["model"] for record in found.metrics}
    assert models == {"challenger", "difference", *TITLES}
    differences = [record for record in found.metrics if record["model"] == "difference"]
    assert {record["versus"] for record in each(differences)} == set(TITLES)
    assert OTHER_DEAL.text(NAMES) in note_texts(found.verdict)
