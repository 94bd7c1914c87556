"""No output holds a secret, an identifier or a value of a subject whose readers must not have it.

A trial in which each column of each dataset has a text that one subject alone has is run with every
secret that a run may be given; the run is reported, shown on boards and in notebooks, exported,
listed, served and asked. Then every output of the register that it made is opened. With a scoring
and a validation it makes every kind of file, but for those of a tuned run.
"""

from __future__ import annotations

import hashlib
import json
import re
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.cli.main import main
from pipeline.observability.address import ENDPOINT
from pipeline.observability.identity import trace_id
from pipeline.outputs.output import Disclosure, Within
from pipeline.outputs.register import outputs_of, outputs_within, unregistered, written
from pipeline.permissions import account_name
from pipeline.runs.unblinded import open_root
from tests.e2e.planted_secrets import (
    IDENTIFIER,
    PASSWORD_VARIABLE,
    PLANTED,
    STILL_NAMED,
    write_trial,
)
from tests.e2e.written_files import pseudonyms_in
from tests.each import each
from tests.output_contents import (
    TUNED_OUT_OF_FOLD,
    Content,
    files_of,
    holders,
    places_of_files,
    produced,
)
from tests.pipeline.observability.collecting import SIGNALS, Collector, collecting
from tests.pipeline.runs.test_unblinded import ongoing
from tests.scored_trial import score_record_and_monitor
from tests.shifted_trial import write_trial as write_shifted_trial
from tests.validation_runs import run_validation
from tests.whole_runs import LENIENT, REPOSITORY, SMALL, Run, environment, small_run, study_copy

pytestmark = pytest.mark.slow

SECRETS = {
    "TRIAL_SUBJECT_KEY": "Wq4 a subject key that only this test knows",
    "TRIAL_STORE_PASSWORD": "Wq4-password-of-the-store",
    "TRIAL_WRITER_PASSWORD": "Wq4-password-of-the-writer",
    "TRIAL_MLFLOW_TOKEN": "Wq4-token-of-mlflow",
    PASSWORD_VARIABLE: "Wq4-password-of-the-database",
}
"""Given in the environment."""

SERVICE_TOKEN = "Wq4-token-of-the-service"
SECRET = re.compile(rb"Wq4[ -]\w+")
FILE_OF_SECRETS = re.compile(rb"accepted-tokens\.txt|\.secrets\b")
COPIES_OF_DATA = {"snapshot of a database"}
COMMANDS = {
    "report": (),
    "boards": (),
    "notebooks": (),
    "export": (),
    "freeze": (),
    "verdict": ("--study", "synthetic"),
    "models list": (),
    "models show": ("CHAMPION",),
    "models verify": (),
}
"""Run on the finished run, with arguments, of which one stands for the champion's id; what each
shows is an output too."""

METRICS = {"trial.runs", "trial.run.duration", "trial.stage.duration"}
SUBJECT = {"AGE": 61, "SEX": "F", "arm": "Active"}
BODIES: dict[str, Any] = {
    ":predict": {"instances": [SUBJECT]},
    "/infer": {"inputs": []},
    "/predict": {"subject": SUBJECT},
}


@dataclass(frozen=True)
class Made:
    """What was made.

    Attributes:
        run: The run.
        collector: What its traces, metrics and logs were sent to.
        answers: What commands showed and routes answered.
    """

    run: Run
    collector: Collector
    answers: list[Content] = field(default_factory=list)

    def add(self, within: Within, place: str, content: bytes) -> None:
        """Adds an answer, which the register must know."""
        (output,) = outputs_of(within, place)
        self.answers.append((output, content))

    def contents(self) -> Iterator[Content]:
        """What every output holds that was made."""
        yield from files_of(self.run.root)
        yield from self.answers


@pytest.fixture(scope="module")
def made() -> Iterator[Made]:
    # Where other accounts can come to, as to pytest's own folders they can not.
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with collecting(folder / "collector") as collector:
            found = _make(folder, collector)
        for signal in SIGNALS:
            found.add(Within.OTLP, f"/v1/{signal}", collector.written(signal))
        yield found


def _make(folder: Path, collector: Collector) -> Made:
    data = folder / "data"
    data.mkdir(mode=0o750)
    changes = LENIENT | {
        **write_trial(data, SMALL),
        ("disclosure",): "internal",
        ("gate", "anomalies"): "warn",
    }
    study = study_copy(folder / "study", changes)
    # No MLflow is there, which a run says.
    given = SECRETS | {
        "TRIAL_MLFLOW": "http://127.0.0.1:9",
        "TRIAL_READERS": "data",
        ENDPOINT: collector.address,
    }
    run = small_run(folder / "runs", study, "--data", str(data), **given)
    assert run.code == 0, run.terminal + run.errors
    found = Made(run, collector)
    found.add(Within.TERMINAL, "run", (run.terminal + run.errors).encode())
    pointer = json.loads((run.root / "registry" / run.study / "champion.json").read_text())
    for command, arguments in COMMANDS.items():
        named = tuple(a.replace("CHAMPION", pointer["champion"]["id"]) for a in arguments)
        found.add(Within.TERMINAL, command, _shown(run.root, command, named, given))
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(ENDPOINT, collector.address)
        for place, content in _served(run.root, folder / "accepted-tokens.txt"):
            found.add(Within.SERVICE, place, content)
    return found


def _shown(root: Path, command: str, arguments: tuple[str, ...], given: dict[str, str]) -> bytes:
    """What a command shows."""
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "pipeline.cli", *command.split(), *arguments),
            *("--root", str(root), "--json"),
        ],
        cwd=REPOSITORY,
        env=environment(**given),
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout + ended.stderr


def _served(root: Path, tokens: Path) -> Iterator[tuple[str, bytes]]:
    """What every route answers, with a token and without one."""
    # TensorFlow takes seconds to import.
    from pipeline.runs.registry import Registry
    from pipeline.service.app import create_app
    from pipeline.service.follower import Follower
    from pipeline.service.tokens import read_tokens
    from tests.pipeline.service.running import running

    digest = hashlib.sha256(SERVICE_TOKEN.encode()).hexdigest()
    tokens.write_text(f"admin {digest}\n")
    follower = Follower(Registry(str(root / "registry")), "synthetic")
    assert follower.served.champion
    version = str(follower.served.champion.version)
    with running(create_app(follower, read_tokens(tokens))) as client:
        for output in outputs_within(Within.SERVICE):
            for place in output.places:
                yield place, _asked(client, place, version)


def _asked(client: httpx.Client, place: str, version: str) -> bytes:
    method, path = place.split(" ")
    body = next((b for end, b in BODIES.items() if path.endswith(end)), None)
    answers = [
        client.request(
            method,
            path.format(model="synthetic", version=version),
            headers=headers,
            content=None if body is None else json.dumps(body),
        )
        for headers in ({}, {"Authorization": f"Bearer {SERVICE_TOKEN}"})
    ]
    assert answers[1].status_code < 500, answers[1].text
    return b"\n".join(answer.content for answer in answers)


def test_all_that_was_made_is_in_the_register(made: Made) -> None:
    assert [str(path) for path in unregistered(made.run.root)] == []


def test_every_file_of_the_register_is_made_by_a_run(made: Made, tmp_path: Path) -> None:
    scored = score_record_and_monitor(tmp_path / "a")
    study = write_shifted_trial(tmp_path / "b" / "second")
    validated = run_validation(tmp_path / "b", study, "--update", "recalibration_in_the_large")
    assert validated.code == 0, validated.terminal
    unblinded = open_root(tmp_path / "c", ongoing(account_name()), "study.yaml", "trial run")
    assert main(["forget", "ist", "0" * 32, "--pseudonym", "--root", str(tmp_path / "c")]) == 0
    found = (
        produced(made.run.root)
        | produced(scored.root, tmp_path / "a" / "registry")
        | produced(validated.root, validated.registry)
        | produced(unblinded)
        | produced(unblinded.parent)
    )

    assert [str(path) for path in unregistered(scored.root, tmp_path / "a" / "registry")] == []
    assert [str(path) for path in unregistered(validated.root, validated.registry)] == []
    # `test_out_of_fold.py` has the run that makes these.
    assert places_of_files() - found == TUNED_OUT_OF_FOLD


def test_a_collector_gets_the_run_as_one_trace_and_every_request(made: Made) -> None:
    spans = made.collector.items("traces", "resourceSpans", "scopeSpans", "spans")
    of_run = [span for span in spans if span["traceId"] == f"{trace_id(made.run.id):032x}"]
    requests = {span["name"] for span in spans if span not in of_run}

    assert {span["name"] for span in of_run} == {f"run {made.run.study}", *made.run.stages}
    assert {"POST /predict", "GET /metrics"} <= requests


def test_a_collector_gets_lines_and_metrics(made: Made) -> None:
    lines = made.collector.items("logs", "resourceLogs", "scopeLogs", "logRecords")
    metrics = made.collector.items("metrics", "resourceMetrics", "scopeMetrics", "metrics")

    assert {line["traceId"] for line in lines} == {f"{trace_id(made.run.id):032x}"}
    assert {metric["name"] for metric in metrics} == {*METRICS, "http.server.request.duration"}


def test_the_planted_texts_are_where_they_may_be(made: Made) -> None:
    """Otherwise the other tests would look for what is not there."""
    holding = {output.disclosure for output, content in made.contents() if PLANTED.search(content)}

    assert {Disclosure.PATIENT, Disclosure.INTERNAL} <= holding


def test_no_output_holds_a_secret(made: Made) -> None:
    assert holders(made.contents(), SECRET, Disclosure.SECRET) == set()


def test_no_output_names_the_file_of_a_secret(made: Made) -> None:
    assert holders(made.contents(), FILE_OF_SECRETS, Disclosure.SECRET) == set()


def test_no_output_holds_an_identifier_of_a_subject(made: Made) -> None:
    found = {name for name, _ in holders(made.contents(), IDENTIFIER)}

    assert found == COPIES_OF_DATA


def test_pseudonyms_are_in_patient_level_outputs_alone(made: Made) -> None:
    examples = made.run.output("TrialExampleGen", "examples")
    pseudonyms = each(pseudonyms_in(examples / "Split-train"))[:200]
    pattern = re.compile(b"|".join(map(re.escape, pseudonyms)))

    assert holders(made.contents(), pattern, Disclosure.PATIENT) == set()


def test_a_value_of_one_subject_is_in_nothing_that_is_public(made: Made) -> None:
    found = holders(made.contents(), PLANTED, Disclosure.PATIENT, Disclosure.INTERNAL)

    assert {text for _, text in found} <= STILL_NAMED


def test_files_can_be_read_by_their_audience_alone(made: Made) -> None:
    wrong = {
        (output.name, oct(mode))
        for output, path in each(written(made.run.root))
        if (mode := stat.S_IMODE(path.stat().st_mode)) != (0o600 if output.is_owners else 0o640)
    }

    assert wrong == set()
