"""One chain of runs on one root: each dies in the next stage, or lacks something, and goes on.

The root lies on a small disk of its own, so that the disk can be full and can't be written. What
the last run writes is what an undisturbed run writes. The moments come from a seed, which
is written first; `TRIAL_TESTS_SEED` repeats them.
"""

from __future__ import annotations

import os
import random
import re
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from benchmarks.postgres import running_server
from pipeline.cli.main import main
from pipeline.store.engine import store_engine, transaction
from pipeline.store.migrate import migrate
from pipeline.store.models import Outcome
from pipeline.store.writer import ATTEMPTS_VARIABLE
from tests.campaign.checks import half, outputs
from tests.campaign.faults import (
    SLOW,
    STAGES,
    Fault,
    disk,
    ended_by,
    few_files,
    full_disk,
    killed,
    killed_after,
    little_memory,
    no_registry,
    out_of_memory_killer,
    read_only,
    read_only_registry,
    strike,
    written_never,
)
from tests.campaign.roots import STUDY, Ended, Root, warm_process
from tests.campaign.study import arguments
from tests.each import each

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="a disk of its own needs root"),
    pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc"),
]

MOMENTS = 5
_SEED = int(os.environ.get("TRIAL_TESTS_SEED") or random.SystemRandom().randrange(10**6))
_LONGEST_MOMENT = 8.0
_CTRL_C = ("TrialExampleGen", "Transform", "Trainer", "TrialEvaluator")


@dataclass
class Struck:
    """A run that suffered a fault.

    Attributes:
        fault: What happened.
        ended: How it ended.
        half: What was not whole below the root when it had ended.
    """

    fault: Fault
    ended: Ended
    half: list[str]


@dataclass
class Chain:
    """The chain and the undisturbed run.

    Attributes:
        undisturbed: That run.
        struck: Runs that suffered, in their order.
        last: The run after them.
        temporary: The system's folder of temporary files.
        root: Where the chain's runs were made.
    """

    undisturbed: Ended
    struck: list[Struck]
    last: Ended
    temporary: Path
    root: Root


def faults(chance: random.Random) -> list[Fault]:
    """All of the chain, in the order of the stages."""
    found = [read_only(), full_disk(40)]
    signalled = chance.sample([stage for stage in STAGES if stage not in SLOW], 2)
    others = dict(zip(signalled, (signal.SIGTERM, signal.SIGHUP), strict=True))
    for stage in STAGES:
        if stage in _CTRL_C:
            found.append(ended_by(signal.SIGINT, stage))
        if stage in others:
            found.append(ended_by(others[stage], stage))
        if stage == "TrialExampleGen":
            found += [few_files(""), full_disk(700)]
        if stage == "Transform":
            found.append(little_memory(""))
        if stage == "Trainer":
            found.append(out_of_memory_killer(stage))
        if stage == "ModelRegistrar":
            found += [no_registry(), read_only_registry()]
        found.append(killed(stage))
    for _ in range(MOMENTS):
        moment = killed_after(chance.uniform(0.0, _LONGEST_MOMENT))
        found.insert(chance.randrange(2, len(found)), moment)
    return found


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    folder = tmp_path_factory.mktemp("campaign")
    sys.stderr.write(f"campaign: TRIAL_TESTS_SEED={_SEED}\n")
    chance = random.Random(_SEED)
    chosen = arguments(folder)
    (folder / "tmp").mkdir()
    with warm_process(folder) as warm, disk(folder / "disk") as path:
        undisturbed = Root(warm, folder / "undisturbed", chosen).whole("undisturbed")
        assert undisturbed.code == 0, undisturbed.said
        root = Root(warm, path, (*chosen, "--data", undisturbed.file["data_root"]))
        struck = []
        for fault in faults(chance):
            strike(root, fault, chance)
            struck.append(Struck(fault, root.ended[-1], half(path)))
        yield Chain(undisturbed, struck, root.whole("the last"), folder / "tmp", root)


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
    wrong = {}
    records = {path.name for path in (chain.root.own / "records").iterdir()}
    assert len(records) > len(STAGES)
    for item in each(chain.struck):
        if item.fault.status and item.ended.run in records:
            if not item.ended.outcomes:
                # The store was on the full disk, too: the terminal has named the command.
                assert "Repeat the export with" in item.ended.terminal
                assert main(["export", item.ended.run, "--root", str(chain.root.path)]) == 0
            found = (item.ended.file["status"], item.ended.outcomes)
            statuses = [status for status, _ in found[1]]
            if found[0] not in item.fault.status.split() or statuses != [found[0]]:
                wrong[item.ended.name] = found
    assert wrong == {}


def test_a_signal_leaves_no_output_half(chain: Chain) -> None:
    """An empty working folder, and copies in the registry, are left to the next start."""
    signalled = [item for item in chain.struck if item.fault.name.startswith("SIG")]
    assert len(signalled) >= len(_CTRL_C)
    left = {
        item.ended.name: [
            what
            for what in item.half
            if not what.endswith(("is a working folder", "is in no entry", "is a draft"))
        ]
        for item in signalled
    }
    assert {name: found for name, found in each(left.items()) if found} == {}


def test_after_the_chain_nothing_is_half(chain: Chain) -> None:
    assert chain.last.code == 0, chain.last.said
    assert half(chain.last.root) == []
    assert list(chain.temporary.iterdir()) == []


def test_the_result_is_that_of_an_undisturbed_run(chain: Chain) -> None:
    whole = outputs(chain.undisturbed.file, chain.undisturbed.root)
    found = outputs(chain.last.file, chain.last.root)

    assert found.keys() == whole.keys()
    assert [name for name in each(whole) if whole[name] != found[name]] == []


def test_every_command_that_names_a_run_works_on_dead_ones(
    chain: Chain, capsys: pytest.CaptureFixture[str]
) -> None:
    root = ("--root", str(chain.last.root))
    dead: dict[str, Ended] = {}
    for item in chain.struck:
        if (chain.root.own / "records" / item.ended.run).is_dir() and item.fault.status:
            dead.setdefault(f"{item.fault.status} {item.fault.name}", item.ended)
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
        with chain.root.running("stopped store", arguments=store) as started:
            assert chain.root.wait_for(started, "RunPage")
            server.control("stop", "-m", "immediate")
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
