"""Sets are those of the patient's groups, and who would not have been in the trial is flagged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from components.trial_example_gen.scored import build_scored
from pipeline.names import EXAMPLES_SIGNATURE
from pipeline.reading.days import DayRange
from pipeline.reading.joined import JoinedRows, JoinedSubjects
from pipeline.runs.registry import Registry
from pipeline.service.app import create_app
from pipeline.service.follower import Follower
from pipeline.study.load import parse_study
from tests.each import each
from tests.pipeline.service.grouped import SLICINGS, content, save_grouped
from tests.pipeline.service.hand_made import (
    STUDY,
    SUBJECT,
    log_odds,
    register,
    risk,
    serialized_example,
)
from tests.pipeline.service.running import problems, running

IN_TRIAL = {"REGION": "South", "ENROLLED": "Y", "EXIT": 400}
"""Columns of a subject of the trial that the model does not read."""
DEATH = risk(log_odds(60, 30, "M", "Placebo"))
"""Risk of `MAN`: .19."""
MAN = SUBJECT | {"SEX": "M", "arm": "Placebo"}


@pytest.fixture(scope="module")
def grouped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_grouped(tmp_path_factory.mktemp("grouped"))


@pytest.fixture(scope="module")
def asked(grouped: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A service of the model with groups."""
    folder = tmp_path_factory.mktemp("groups")
    register(folder / "registry", grouped, folder, **content())
    with running(create_app(Follower(Registry(str(folder / "registry")), STUDY))) as client:
        yield client


def predicted(client: httpx.Client, **columns: Any) -> Any:
    """The answer for a subject of the trial with other columns, without those that are `...`."""
    subject = {k: v for k, v in (MAN | IN_TRIAL | columns).items() if v is not ...}
    answer = client.post("/predict", json={"subject": subject})
    assert answer.status_code == 200, answer.text
    return answer.json()


def flags(answer: Any) -> list[str]:
    return [flag["flag"] for flag in answer["flags"]]


def has_outcome(answer: Any) -> bool:
    """Whether the set of death has the level with the outcome."""
    return "with_outcome" in answer["predictions"]["death"]["set"]


class TestSets:
    def test_a_set_is_that_of_the_patients_groups(self, asked: httpx.Client) -> None:
        # Of men it has the outcome above .2, of women above .1: the risks are .19 and .28.
        assert pytest.approx(0.19, abs=0.001) == DEATH
        assert not has_outcome(predicted(asked))
        assert has_outcome(predicted(asked, SEX="F"))
        # In the north above .4.
        assert not has_outcome(predicted(asked, SEX="F", REGION="North"))

    def test_the_answer_names_the_groups(self, asked: httpx.Client) -> None:
        assert predicted(asked, AGE=65)["groups"] == {
            "sex": "M",
            "age": ">=65",
            "region": "South",
            "arm": "Placebo",
        }

    def test_a_column_that_is_not_given_leaves_its_group_unknown(self, asked: httpx.Client) -> None:
        assert predicted(asked, REGION=...)["groups"]["region"] is None

    def test_a_value_that_is_missing_is_the_group_of_the_missing(self, asked: httpx.Client) -> None:
        found = predicted(asked, REGION=None, SEX=None)["groups"]
        assert (found["region"], found["sex"]) == ("missing", "missing")

    def test_a_category_that_no_subject_had_is_a_group_of_its_own(
        self, asked: httpx.Client
    ) -> None:
        assert predicted(asked, REGION="Moon")["groups"]["region"] == "Moon"

    def test_a_model_of_an_earlier_release_has_sets_without_groups(
        self, saved_model: Path, tmp_path: Path
    ) -> None:
        register(tmp_path / "registry", saved_model, tmp_path, **content())
        follower = Follower(Registry(str(tmp_path / "registry")), STUDY)
        champion = follower.served.champion
        assert champion is not None
        assert champion.model.signature == "columns"
        with running(create_app(follower)) as client:
            # The hand-made model without groups has the outcome in its sets above .3.
            assert not has_outcome(predicted(client, SEX="F"))


class TestMembership:
    def test_a_subject_of_the_trial_has_no_flag(self, asked: httpx.Client) -> None:
        found = predicted(asked)
        assert (found["flags"], found["not_told"]) == ([], [])

    @pytest.mark.parametrize("enrolled", ["N", None])
    def test_who_is_outside_of_the_population_is_flagged(
        self, asked: httpx.Client, enrolled: str | None
    ) -> None:
        assert flags(predicted(asked, ENROLLED=enrolled)) == ["outside_population"]

    @pytest.mark.parametrize(("day", "left"), [(-3, True), (1, True), (2, False)])
    def test_who_left_by_the_landmark_is_flagged(
        self, asked: httpx.Client, day: int, left: bool
    ) -> None:
        assert flags(predicted(asked, EXIT=day)) == ["left_by_landmark"] * left

    def test_what_the_columns_do_not_tell_is_said(self, asked: httpx.Client) -> None:
        found = predicted(asked, ENROLLED=..., EXIT=...)
        assert (found["flags"], found["not_told"]) == ([], ["population", "landmark"])

    @pytest.mark.parametrize(
        ("enrolled", "found", "not_told"),
        [
            (..., [], ["population"]),
            (None, ["outside_population"], []),
            ("Y", [], []),
        ],
    )
    @pytest.mark.parametrize("is_negated", [False, True])
    def test_whether_a_column_that_is_not_given_has_a_value_is_not_known(
        self,
        grouped: Path,
        tmp_path: Path,
        enrolled: Any,
        found: list[str],
        not_told: list[str],
        is_negated: bool,
    ) -> None:
        present = {"column": "ENROLLED", "present": not is_negated}
        made = content() | {"population": {"not": present} if is_negated else present}
        register(tmp_path / "registry", grouped, tmp_path, **made)
        with running(create_app(Follower(Registry(str(tmp_path / "registry")), STUDY))) as client:
            answer = predicted(client, ENROLLED=enrolled)
        assert (flags(answer), answer["not_told"]) == (found, not_told)

    def test_who_is_outside_is_refused_where_the_study_file_says_so(
        self, grouped: Path, tmp_path: Path
    ) -> None:
        made = content() | {"scoring": {"outside_population": "refuse"}}
        register(tmp_path / "registry", grouped, tmp_path, **made)
        subject = MAN | IN_TRIAL | {"ENROLLED": "N"}
        with running(create_app(Follower(Registry(str(tmp_path / "registry")), STUDY))) as client:
            answer = client.post("/predict", json={"subject": subject})
        assert problems(answer) == {(0, "", "outside_population")}


def _joined(rows: list[dict[str, Any]]) -> JoinedSubjects:
    """The subjects as the reader of a batch scoring has them."""
    n, texts = len(rows), ("SEX", "TREATMENT", "REGION", "ENROLLED")
    table = pa.table(
        {
            name: pa.array([row[name] for row in rows], "str" if name in texts else "float64")
            for name in rows[0]
        }
    )
    undated = DayRange(np.full(n, -np.inf), np.full(n, -np.inf))
    own = JoinedRows(table, np.arange(n), undated)
    return JoinedSubjects([f"S{row}" for row in range(n)], np.full(n, np.nan), {"subjects": own})


def test_a_batch_scoring_answers_the_same(asked: httpx.Client, grouped: Path) -> None:
    """Its examples are made from the same subjects by the stage that reads their files."""
    random = np.random.default_rng(3)
    given: list[dict[str, Any]] = [
        {
            "AGE": [50.0, 49.9, 65.0, 64.9, None, float(random.integers(40, 71))][number % 6],
            "BMI": None if number % 3 == 0 else float(random.uniform(18, 40)),
            "SEX": ["F", "M", None][number % 3],
            "TREATMENT": ["Active", "Placebo"][number // 2 % 2],
            "REGION": ["North", "South", None, "Moon"][number % 4],
            "ENROLLED": ["Y", "N", None][number // 5 % 3],
            "EXIT": [1.0, 2.0, None][number // 7 % 3],
        }
        for number in range(60)
    ]
    built = build_scored(parse_study(content(), "the study"), _joined(given), b"0" * 32).columns
    wanted = ("AGE", "BMI", "SEX", "arm", *(f"slice_{name}" for name in SLICINGS))
    rows = [
        dict(zip(wanted, values, strict=True))
        for values in zip(*(built[name].to_pylist() for name in wanted), strict=True)
    ]
    signatures = tf.saved_model.load(str(grouped)).signatures
    examples = tf.constant([serialized_example(row) for row in rows])
    expected = signatures[EXAMPLES_SIGNATURE](examples=examples)

    subjects = [{("arm" if k == "TREATMENT" else k): v for k, v in row.items()} for row in given]
    found = asked.post(f"/v1/models/{STUDY}:predict", json={"instances": subjects}).json()

    for name in each(expected):
        answered = np.array([row[name] for row in found["predictions"]])
        assert np.abs(answered - expected[name].numpy()).max() < 1e-6, name
    for flag in ("outside_population", "left_by_landmark"):
        flagged = [flag in of for of in found["flags"]]
        assert flagged == [value == 1 for value in built[f"flag:{flag}"].to_pylist()]
        assert 0 < sum(flagged) < len(flagged)


def test_the_open_inference_protocol_answers_groups_as_tensors(asked: httpx.Client) -> None:
    inputs = [
        {
            "name": name,
            "shape": [1],
            "datatype": "FP32" if isinstance(value, int) else "BYTES",
            "data": [value],
        }
        for name, value in (MAN | IN_TRIAL | {"SEX": "F"}).items()
        if name != "ENROLLED"
    ]
    answer = asked.post(f"/v2/models/{STUDY}/infer", json={"inputs": inputs}).json()
    found = {tensor["name"]: tensor["data"] for tensor in answer["outputs"]}
    assert found["slice_age"] == ["50 to <65"]
    assert found["not_told"] == ["population"]
    assert found["death/set_positive"] == [1]


def test_the_page_asks_for_the_columns_and_says_what_they_do_not_tell(asked: httpx.Client) -> None:
    form = asked.get("/").text
    assert "subjects, ENROLLED; for population; may be left empty" in form
    sent = {name: str(value) for name, value in MAN.items()} | {"ENROLLED": " ", "EXIT": ""}
    text = " ".join(asked.post("/", data=sent).text.split())
    assert "It is not known whether this patient meets the population of the trial." in text
    assert "It is not known whether this patient left by the landmark." in text
    assert "region: not known" in text
