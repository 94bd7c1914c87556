"""What keeps a runner from doing a run's work is found out before anything starts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipeline.beam import check
from pipeline.beam.check import Needs, checked_options, flink_slots
from pipeline.beam.choices import Runner
from pipeline.beam.local_flink import session
from pipeline.beam.options import IN_MEMORY, BeamSettings, FlinkSlots, beam_options
from pipeline.errors import UserError
from pipeline.version import code_version
from tests.http_server import running

NO_SERVER = "127.0.0.1:1"
"""Address where nothing listens."""


@pytest.fixture
def needs(tmp_path: Path) -> Needs:
    """A data folder with a file, a root and a key."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "dm.csv").write_text("USUBJID\n1\n")
    (tmp_path / "root").mkdir()
    (tmp_path / "key").write_text("a key for tests: 0123456789abcdef")
    return Needs(
        read=(str(tmp_path / "data"),),
        write=str(tmp_path / "root"),
        subject_key=f"file:{tmp_path / 'key'}",
        code_version=code_version(),
    )


@pytest.fixture
def rest() -> Iterator[Callable[..., str]]:
    """Starts a server that answers as Flink's REST interface does; gives its address."""

    def start(version: str = "1.19.3", slots: tuple[int, ...] = (1, 1)) -> str:
        answers: dict[str, Any] = {
            "/overview": {"flink-version": version, "slots-total": sum(slots)},
            "/taskmanagers": {"taskmanagers": [{"slotsNumber": number} for number in slots]},
        }

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(answers[self.path]).encode())

            def log_message(self, *_: Any) -> None:
                pass

        address = servers.enter_context(running(HTTPServer(("127.0.0.1", 0), Answers)))
        return address.removeprefix("http://")

    with ExitStack() as servers:
        yield start


def _flink(master: str | None, **more: Any) -> BeamSettings:
    return BeamSettings(runner=Runner.FLINK, master=master, **more)


def test_runners_of_this_machine_need_no_look(needs: Needs) -> None:
    assert checked_options(IN_MEMORY, needs) == beam_options(IN_MEMORY)


def test_a_cluster_that_does_not_answer_is_named(needs: Needs) -> None:
    with pytest.raises(UserError, match=f"No Flink answers at http://{NO_SERVER} .*make flink-up"):
        checked_options(_flink(NO_SERVER), needs)


def test_flink_without_an_address_is_refused_with_how_to_get_one(
    needs: Needs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session.running_cluster, "__defaults__", (tmp_path / "none.json",))
    with pytest.raises(UserError, match=r"needs a cluster: .*make flink-up.*--master"):
        checked_options(_flink(None), needs)


def test_what_is_no_flink_is_refused(rest: Callable[..., str]) -> None:
    with pytest.raises(UserError, match=r"has version 1\.17\.2; expected 1\.19"):
        flink_slots(_flink(rest(version="1.17.2")))


def test_slots_are_counted_by_task_manager(rest: Callable[..., str]) -> None:
    assert flink_slots(_flink(rest(slots=(1, 4)))) == FlinkSlots(total=5, most_of_one=4)


def test_more_workers_than_slots_are_refused(rest: Callable[..., str]) -> None:
    with pytest.raises(UserError, match="has 2 slots, but 3 workers were asked for"):
        flink_slots(_flink(rest(slots=(1, 1)), workers=3))


def test_a_cluster_without_task_managers_is_refused(rest: Callable[..., str]) -> None:
    with pytest.raises(UserError, match="has 0 slots, but 1 workers were asked for"):
        flink_slots(_flink(rest(slots=())))


def test_a_job_server_that_does_not_answer_is_named(needs: Needs, rest: Callable[..., str]) -> None:
    settings = _flink(rest(), options=(f"--job_endpoint={NO_SERVER}",))
    with pytest.raises(UserError, match=f"No Beam job server answers at {NO_SERVER}"):
        checked_options(settings, needs)


def test_a_job_servers_jar_that_is_not_there_is_named(
    needs: Needs, rest: Callable[..., str]
) -> None:
    settings = _flink(rest(), options=("--flink_job_server_jar=/nowhere/server.jar",))
    with pytest.raises(UserError, match=r"can't be downloaded: .*/nowhere/server\.jar"):
        checked_options(settings, needs)


def test_dataflow_names_all_that_is_missing(needs: Needs) -> None:
    settings = BeamSettings(runner=Runner.DATAFLOW, options=("--project=p",))
    with pytest.raises(UserError, match="--region, --temp_location, --sdk_container_image"):
        checked_options(settings, needs)


def test_dataflow_refuses_a_folder_of_this_machine(needs: Needs) -> None:
    options = ("--project=p", "--region=r", "--temp_location=gs://b/t", "--sdk_container_image=i:1")
    settings = BeamSettings(runner=Runner.DATAFLOW, options=options)
    with pytest.raises(UserError, match=re.escape(needs.read[0]) + ".*must be gs:// addresses"):
        checked_options(settings, needs)


class TestTheWorkersThemselves:
    """The small job that looks at them, here on Beam's in-memory runner."""

    def _look(self, needs: Needs) -> None:
        check._check_workers(_flink(NO_SERVER), beam_options(IN_MEMORY), needs, workers=2)

    def test_workers_that_see_everything_pass_and_leave_nothing_behind(self, needs: Needs) -> None:
        self._look(needs)
        assert list(Path(needs.write).iterdir()) == []

    def test_a_data_folder_that_they_do_not_see_is_named(
        self, needs: Needs, tmp_path: Path
    ) -> None:
        hidden = Needs((str(tmp_path / "elsewhere"),), *_others(needs))
        with pytest.raises(
            UserError, match=f"no files in the data folder {tmp_path / 'elsewhere'}"
        ):
            self._look(hidden)

    def test_another_version_of_the_project_is_reported(self, needs: Needs) -> None:
        other = Needs(needs.read, needs.write, needs.subject_key, "0.0.0")
        with pytest.raises(UserError, match=rf"version {code_version()} .* not 0\.0\.0"):
            self._look(other)

    def test_another_key_of_the_subjects_is_reported(self, needs: Needs) -> None:
        found = list(check._problems(needs, "the id of another key"))
        assert found == [f"their subject key ({needs.subject_key}) differs from this machine's"]

    def test_a_key_that_they_can_not_read_is_reported(self, needs: Needs) -> None:
        without = Needs(needs.read, needs.write, "env:NO_SUCH_VARIABLE", needs.code_version)
        found = list(check._problems(without, "id"))
        assert found == ["they can't read the subject key (env:NO_SUCH_VARIABLE)"]

    def test_a_root_that_is_not_shared_is_reported(self, needs: Needs, tmp_path: Path) -> None:
        with pytest.raises(UserError, match="does not arrive here"):
            check._report(_flink(NO_SERVER), needs, str(tmp_path / "nothing"))


def _others(needs: Needs) -> tuple[str, str, str]:
    return needs.write, needs.subject_key, needs.code_version
