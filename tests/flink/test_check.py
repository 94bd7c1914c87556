"""What only the workers of the cluster know is checked before a run starts."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from pipeline.beam.check import Needs, checked_options
from pipeline.beam.options import parse_beam_options
from pipeline.errors import UserError
from pipeline.version import code_version
from tests.flink.conftest import Flink

pytestmark = pytest.mark.slow


@pytest.fixture
def needs(subject_key: str, tmp_path: Path) -> Needs:
    """Needs that the workers meet."""
    data, root = tmp_path / "data", tmp_path / "root"
    for folder in (data, root):
        folder.mkdir()
    (data / "dm.csv").write_text("USUBJID\n1\n")
    return Needs((str(data),), str(root), subject_key, code_version())


@pytest.fixture
def own_folder(fragile_flink: Flink) -> Path:
    """A folder in whose place each worker sees one of its own."""
    if len(fragile_flink.cluster.network.hosts) == 1:
        pytest.fail("hosts of their own can be made by root alone, on Linux")
    return fragile_flink.cluster.worker_temporary


def test_workers_that_can_do_the_run_give_its_options_and_leave_nothing(
    fragile_flink: Flink, needs: Needs
) -> None:
    found = checked_options(parse_beam_options(fragile_flink.options()), needs)

    assert "--runner=FlinkRunner" in found
    assert not list(Path(needs.write).iterdir())


def test_data_that_workers_do_not_see_are_named(
    fragile_flink: Flink, needs: Needs, own_folder: Path
) -> None:
    data = own_folder / "data"
    data.mkdir()
    (data / "dm.csv").write_text("USUBJID\n1\n")
    unseen = dataclasses.replace(needs, read=(str(data),))

    with pytest.raises(UserError, match=f"see no files in the data folder {data}"):
        checked_options(parse_beam_options(fragile_flink.options()), unseen)


def test_a_root_of_this_machine_alone_is_named(
    fragile_flink: Flink, needs: Needs, own_folder: Path
) -> None:
    elsewhere = dataclasses.replace(needs, write=str(own_folder))

    with pytest.raises(UserError, match=f"write below {own_folder} does not arrive here"):
        checked_options(parse_beam_options(fragile_flink.options()), elsewhere)


def test_another_version_of_the_project_is_named(fragile_flink: Flink, needs: Needs) -> None:
    newer = dataclasses.replace(needs, code_version="9.9.9")

    with pytest.raises(UserError, match=r"have version .* of this project, not 9\.9\.9"):
        checked_options(parse_beam_options(fragile_flink.options()), newer)


def test_a_worker_pool_that_is_missing_is_named(fragile_flink: Flink, needs: Needs) -> None:
    settings = parse_beam_options(fragile_flink.options("--worker-pool=localhost:50999"))

    with pytest.raises(UserError, match=r"Expected: a worker pool at localhost:50999"):
        checked_options(settings, needs)
