"""Random sequences of registrations and decisions, beside a model of what must hold."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pipeline.runs.changes import Rules, promote, resume, retire, roll_back
from pipeline.runs.publish import publish
from pipeline.runs.register import NONE, Decision
from pipeline.runs.registry import Registry
from pipeline.runs.verify import verify
from tests.pipeline.runs.governed import GRACE, STUDY, actions, add, champion_id, decision


class Governance(RuleBasedStateMachine):
    """What persons and runs may do, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.root = str(Path(self.folder.name) / "registry")
        self.serving = str(Path(self.folder.name) / "serving")
        self.models: list[str] = []
        self.promoted: list[str] = []
        self.retired: set[str] = set()
        self.suspended = False
        self.entries = 0

    def teardown(self) -> None:
        self.folder.cleanup()

    @property
    def champion(self) -> str | None:
        return self.promoted[-1] if self.promoted else None

    @rule(automatic=st.booleans())
    def run(self, automatic: bool) -> None:
        how = Decision(self.champion or NONE, "automatic" if automatic else "person")
        found = add(self.root, Path(self.folder.name), f"model {len(self.models)}", how)
        self.models.append(found.entry.id)
        assert found.is_champion == (automatic and not self.suspended)
        if found.is_champion:
            self.promoted.append(found.entry.id)

    @precondition(lambda self: self.models)
    @rule(data=st.data())
    def promote(self, data: st.DataObject) -> None:
        model = data.draw(st.sampled_from(self.models))
        assume(model != self.champion and model not in self.retired)
        promote(self.root, decision(GRACE), model, Rules("person"), True)
        self.promoted.append(model)

    @precondition(lambda self: len(set(self.promoted)) > 1)
    @rule()
    def roll_back(self) -> None:
        roll_back(self.root, decision())
        before = self.champion
        while self.champion == before:
            self.promoted.pop()
        self.suspended = True

    @precondition(lambda self: self.models)
    @rule(data=st.data())
    def retire(self, data: st.DataObject) -> None:
        model = data.draw(st.sampled_from(self.models))
        assume(model not in self.retired)
        self.suspended = self.suspended or model == self.champion
        retire(self.root, decision(), model)
        self.retired.add(model)
        self.promoted = [found for found in self.promoted if found != model]

    @precondition(lambda self: self.suspended)
    @rule()
    def resume(self) -> None:
        resume(self.root, decision())
        self.suspended = False

    @invariant()
    def the_champion_is_the_newest_promoted_that_was_not_rolled_back_or_retired(self) -> None:
        assert champion_id(self.root) == self.champion

    @invariant()
    def the_served_version_with_the_highest_number_is_the_champion(self) -> None:
        publish(self.root, STUDY, self.serving)
        versions = sorted(int(found.name) for found in Path(self.serving).glob("[0-9]*"))
        served = Registry(self.root).book(STUDY).pointer.champion
        assert (versions[-1] if versions else None) == (served.version if served else None)
        if versions:
            content = (Path(self.serving) / str(versions[-1]) / "saved_model.pb").read_text()
            assert content == f"model {self.models.index(str(self.champion))}"

    @invariant()
    def the_trail_only_grows_and_verifies(self) -> None:
        found = verify(self.root, STUDY)
        assert found.problems == ()
        assert found.entries == len(actions(self.root)) >= self.entries
        self.entries = found.entries


TestGovernance: Any = Governance.TestCase
TestGovernance.settings = settings(
    max_examples=8,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
