"""One chain of runs on one root: each dies in the next stage, or lacks something, and goes on.

The root lies on a small disk of its own, so that the disk can be full and can't be written. What
the last run writes is what an undisturbed run writes. A run waits at the point at which it is
struck (`tests.campaign.holds`). Points and moments come from a seed, which is written first;
`TRIAL_TESTS_SEED` repeats them.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from benchmarks.postgres import running_server
from pipeline.cli.main import main
from pipeline.outputs.register import unregistered, written
from pipeline.runs.registry import Registry
from pipeline.store.engine import store_engine, transaction
from pipeline.store.migrate import migrate
from pipeline.store.models import Outcome
from pipeline.store.writer import ATTEMPTS_VARIABLE
from tests.campaign.chain import CTRL_C, Chain, chain_of_runs
from tests.campaign.checks import half, outputs
from tests.campaign.faults import STAGES, written_never
from tests.campaign.holds import Hold, Point
from tests.campaign.roots import STUDY, Ended
from tests.campaign.whole import ENDLESS, Register, form_of, is_whole
from tests.each import each

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="a disk of its own needs root"),
    pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc"),
]

_SEED = int(os.environ.get("TRIAL_TESTS_SEED") or random.SystemRandom().randrange(10**6))
_OF_A_WRITER = r"is in no entry|is a draft"
"""What is left for an hour, in which another writer may be at it."""


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    sys.stderr.write(f"campaign: TRIAL_TESTS_SEED={_SEED}\n")
    with chain_of_runs(tmp_path_factory.mktemp("campaign"), _SEED) as made:
        yield made


def test_each_run_ends_as_it_should(chain: Chain) -> None:
    ends = {item.ended.name: item.ended for item in each(chain.struck)}
    expected = {item.ended.name: item.fault.codes for item in chain.struck}
    assert {n: (e.code, e.said[-900:]) for n, e in ends.items() if e.code not in expected[n]} == {}
    assert {name: ended.survivors for name, ended in ends.items() if ended.survivors} == {}


def test_one_clear_line_and_no_traceback(chain: Chain) -> None:
    wrong = {}
    for item in each(chain.struck):
        said = item.ended.said
        lines = [line for line in said.splitlines() if re.search(item.fault.says, line)]
        has_line = len(lines) >= 1 if item.fault.says else True
        if "Traceback" in said or not has_line:
            wrong[item.ended.name] = said[-900:]
    assert wrong == {}


def test_each_run_is_recorded_as_what_it_was(chain: Chain) -> None:
    """In its file and in the store, which may have been on the full disk, too."""
    wrong = {}
    recorded = [item for item in chain.struck if item.is_recorded]
    assert len(recorded) > len(STAGES)
    for item in recorded:
        status = item.ended.file["status"]
        stage = item.fault.hold.stage
        stages = {stage} if item.fault.is_at_its_point else {"", *STAGES}
        found = [(status, of) for status, of in item.ended.outcomes if of in stages]
        if status not in item.fault.status.split() or [s for s, _ in found] != [status]:
            wrong[item.ended.name] = (status, item.ended.outcomes)
    assert wrong == {}


def test_the_next_start_says_who_died_and_clears_what_it_left(chain: Chain) -> None:
    at_a_point = [item for item in chain.struck if item.fault.is_at_its_point]
    killed_there = [item for item in at_a_point if item.fault.status == "killed"]
    unnoticed = [item for item in killed_there if item.fault.is_unnoticed]
    assert len(unnoticed) == len(STAGES)
    wrong = {}
    for item in unnoticed:
        died = f"The run {item.ended.run} died at {item.fault.hold.stage}: it is recorded as killed"
        said = chain.said_after(item)
        if died not in said or "had left: 1 unfinished execution" not in said:
            wrong[item.ended.name] = said[:900]
    assert wrong == {}


def test_what_a_run_left_is_gone_once_the_next_one_works(chain: Chain) -> None:
    """All that is not whole then is its own: one execution that runs, and its folders."""
    waited = [(item.ended.name, item.before) for item in chain.struck if item.before is not None]
    earlier: dict[str, list[str]] = {}
    wrong = {}
    running = re.compile(r"execution \d+ runs")
    for item in each(chain.struck):
        if item.before is not None:
            left = {what for found in earlier.values() for what in found}
            stayed = [w for w in item.before if w in left and not re.search(_OF_A_WRITER, w)]
            if stayed or len([w for w in item.before if running.fullmatch(w)]) != 1:
                wrong[item.ended.name] = item.before
        earlier[item.ended.name] = item.half
    assert wrong == {}
    assert len(waited) >= len(STAGES)


def test_each_file_of_the_register_is_whole_or_absent_after_each_death(chain: Chain) -> None:
    assert {item.ended.name: item.torn for item in each(chain.struck) if item.torn} == {}
    undisturbed = Register(chain.undisturbed.root)
    for register in (chain.register, undisturbed):
        assert register.torn(frozenset()) == []
    # The data lie in the other root.
    assert undisturbed.seen - chain.register.seen == {"synthetic trial"}


def test_a_file_that_is_cut_is_found(chain: Chain, tmp_path: Path) -> None:
    sizes = {path: path.stat().st_size for _, path in written(chain.undisturbed.root)}
    files = {form_of(path): path for path, size in sizes.items() if size > 20}
    for path in each([path for form, path in files.items() if form not in ENDLESS]):
        for part in path.parent.glob(f"{path.name.partition('.')[0]}.*"):
            shutil.copyfile(part, tmp_path / part.name)
        assert is_whole(tmp_path / path.name)
        os.truncate(tmp_path / path.name, sizes[path] - 20)
        assert not is_whole(tmp_path / path.name), path


def test_a_signal_leaves_no_output_half(chain: Chain) -> None:
    """An empty working folder, and copies in the registry, are left to the next start."""
    signalled = [item for item in chain.struck if item.fault.name.startswith("SIG")]
    assert len(signalled) >= len(CTRL_C)
    left = {
        item.ended.name: [
            what
            for what in item.half
            if not re.search(rf"is a working folder|{_OF_A_WRITER}", what)
        ]
        for item in signalled
    }
    assert {name: found for name, found in each(left.items()) if found} == {}


def test_after_the_chain_nothing_is_half(chain: Chain) -> None:
    assert chain.last.code == 0, chain.last.said
    assert chain.last.outcomes == [("done", "")]
    assert half(chain.last.root) == []
    assert list(unregistered(chain.last.root)) == []
    assert list(chain.temporary.iterdir()) == []


def test_the_result_is_that_of_an_undisturbed_run(chain: Chain) -> None:
    whole = outputs(chain.undisturbed.file, chain.undisturbed.root)
    found = outputs(chain.last.file, chain.last.root)

    assert found.keys() == whole.keys()
    assert [name for name in each(whole) if whole[name] != found[name]] == []


def test_the_model_is_registered_once_and_waits_for_a_person(chain: Chain) -> None:
    """A registration that was whole when its run died is that of the next run's same model."""
    for ended in (chain.undisturbed, chain.last):
        registry = Registry(str(ended.root / "registry"))
        assert len(registry.history(STUDY)) == 1
        assert registry.book(STUDY).champion() is None


def test_every_command_that_names_a_run_works_on_dead_ones(
    chain: Chain, capsys: pytest.CaptureFixture[str]
) -> None:
    root = ("--root", str(chain.last.root))
    dead: dict[str, Ended] = {}
    for item in chain.struck:
        if item.is_recorded:
            # Of those that died at moments, one.
            kind = item.fault.name.partition(" at ")[0]
            dead.setdefault(f"{item.fault.status} {kind}", item.ended)
    wrong = {}
    for name, ended in each(dead.items()):
        for command in ("report", "export"):
            code = main([command, ended.run, *root])
            captured = capsys.readouterr()
            said = captured.out + captured.err
            is_answered = code == 0 or (code == 2 and len(said.splitlines()) == 1)
            if not is_answered or "Unexpected" in said or "Traceback" in said:
                wrong[f"{command} {name}"] = said
    newest = max(ended.run for ended in dead.values())
    others = (
        ("notebooks", newest, "--only", "data"),
        ("verdict", "--study", STUDY),
        ("models", "list", "--study", STUDY),
    )
    for named in others:
        if main([*named, *root]) != 0:
            wrong[" ".join(named)] = capsys.readouterr().err
    assert wrong == {}


def test_a_store_that_can_not_be_written_fails_no_run_and_gets_its_rows_later(
    chain: Chain, capsys: pytest.CaptureFixture[str]
) -> None:
    with written_never(chain.root.path / "store.sqlite"):
        ended = chain.root.whole("read-only store")

    assert ended.code == 0
    assert "Not exported." in ended.terminal
    assert "Repeat the export with: make export" in ended.terminal
    assert "Traceback" not in ended.said
    assert ended.outcomes == []
    assert main(["export", ended.run, "--root", str(chain.root.path)]) == 0
    assert "rows exported" in capsys.readouterr().out
    assert ended.outcomes == [("done", "")]


def test_a_postgresql_that_stops_in_the_middle_fails_no_run_and_gets_its_rows_later(
    chain: Chain, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(ATTEMPTS_VARIABLE, "1")
    with running_server() as server:
        migrate(server.owner)
        store = ("--store", server.owner)
        hold = Hold("RunPage", Point.ENTERED)
        with chain.root.running("stopped store", arguments=store, hold=hold) as started:
            assert started.wait()
            assert started.is_held
            server.control("stop", "-m", "immediate")
            started.release()
        ended = chain.root.ended[-1]
        server.control("start")

        assert ended.code == 0, ended.said
        assert "Not exported." in ended.terminal
        assert "Traceback" not in ended.said
        assert main(["export", ended.run, "--root", str(chain.root.path)]) == 0
        assert "rows exported" in capsys.readouterr().out
        with store_engine(server.owner) as engine, transaction(engine) as connection:
            found = connection.execute(select(Outcome.run, Outcome.status)).all()
        assert [tuple(row) for row in found] == [(ended.run, "done")]
