"""While a trial is ongoing no column may give its arm away, and the check itself gives nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from components.trial_example_gen.revealing import revealing, tells_arm
from components.trial_example_gen.revealing_conditions import (
    revealing_conditions,
    samples_of,
)
from pipeline.errors import UserError
from pipeline.reading.buckets import SUBJECT
from pipeline.reading.joined import AllSubjects
from pipeline.study.blinded import blinded
from pipeline.study.study import Study
from tests.components.trial_example_gen.executor_data import N, study, subject_rows, write_data
from tests.components.trial_example_gen.executor_runs import Outputs, execute
from tests.each import each

OTHER = {"A": "B", "B": "A"}


def blinded_study(**changes: Any) -> Study:
    return blinded(study(conduct="ongoing", **changes), "study.yaml")


def write_subjects(folder: Path, frame: pd.DataFrame) -> Path:
    folder.mkdir(parents=True)
    write_data(folder)
    frame.to_csv(folder / "dm.csv", index=False)
    return folder


def written(outputs: Outputs) -> dict[str, bytes]:
    """Content of all files but those of the runner itself."""
    return {str(path.relative_to(outputs.folder)): path.read_bytes() for path in outputs.files}


def test_examples_hold_no_arm_and_do_not_depend_on_it(tmp_path: Path) -> None:
    frame = subject_rows()
    exchanged = frame.assign(ARM=frame["ARM"].map(OTHER))
    made = [
        execute(blinded_study(), write_subjects(tmp_path / name / "data", rows), tmp_path / name)
        for name, rows in (("one", frame), ("two", exchanged))
    ]
    example = made[0].an_example("train")
    assert "arm" not in example
    assert "slice_arm" not in example
    first, second = (written(outputs) for outputs in made)
    assert first.keys() == second.keys()
    examples = [name for name in first if name.startswith(("examples", "rejects"))]
    for name in each(examples):
        assert first[name] == second[name], name


def test_columns_that_give_the_arm_away_are_refused(tmp_path: Path) -> None:
    """Actual treatment, dose, doses taken, what one arm alone has a value of, and a group."""
    frame = subject_rows()
    is_active = frame["ARM"].to_numpy() == "A"
    frame["ACTUAL"] = np.where(is_active, "verum", "dummy")
    frame["DOSE"] = np.where(is_active, 54.0, 0.0)
    frame["TAKEN"] = np.where(is_active, 20.0 + np.arange(N) % 60, 0.0)
    frame["LEVEL"] = np.where(is_active, "measured", "")
    kinds = {"ACTUAL": "category", "DOSE": "number", "TAKEN": "number", "LEVEL": "category"}
    changes: dict[str, Any] = {"slicing.by": {"given": {"column": "ACTUAL"}}}
    for name, kind in kinds.items():
        type_ = "number" if kind == "number" else "text"
        changes[f"datasets.dm.columns.{name}"] = {"type": type_, "known": "baseline"}
        changes[f"features.{name}"] = {"kind": kind}

    with pytest.raises(UserError) as refused:
        execute(blinded_study(**changes), write_subjects(tmp_path / "data", frame), tmp_path)

    lines = str(refused.value).splitlines()
    places = [f"features.{name}: column {name} of dm" for name in sorted(kinds)]
    assert [line.partition(" gives the arm away")[0] for line in lines] == [
        *places,
        "slicing.by.given: column ACTUAL",
    ]
    assert all("Leave it out until the trial is locked" in line for line in lines)
    for value in ("verum", "dummy", "54", "measured"):
        assert value not in str(refused.value)


def sample(arms: Sequence[str | None], **columns: list[Any]) -> pa.Table:
    return pa.table({"hidden 0": arms, "hash": pa.array(range(len(arms)), pa.uint64()), **columns})


def test_nearly_is_enough_and_more_than_chance_is_needed() -> None:
    arms = np.array([0, 1] * 200)
    actual = np.where(arms == 1, "V", "P")
    actual[:10] = "V"
    assert tells_arm(pa.array(actual.tolist()), arms)
    assert not tells_arm(pa.array(np.where(np.arange(400) % 4 < 2, "V", "P").tolist()), arms)
    # Each of these levels has one subject: of course all are in one arm.
    assert not tells_arm(pa.array([f"P-{k}" for k in range(400)]), arms)


def test_a_level_of_one_of_three_arms_is_enough() -> None:
    """Who had no drug at all was in the placebo arm, whatever the doses of the others."""
    arms = np.array([0, 1, 2] * 60)
    assert tells_arm(pa.array(np.where(arms == 0, 0.0, np.arange(180.0))), arms)


def test_unequal_arms_do_not_make_every_column_suspect() -> None:
    arms = np.array(([0] * 19 + [1]) * 50)
    assert not tells_arm(pa.array((["F"] * 20 + ["M"] * 20) * 25), arms)


def test_the_rule_is_the_same_when_arms_are_exchanged() -> None:
    generator = np.random.default_rng(1)
    arms = generator.integers(0, 2, 300)
    for share in each(np.arange(0.5, 1, 0.02)):
        copied = np.where(generator.random(300) < share, arms, 1 - arms)
        values = pa.array(copied.astype(str).tolist())
        assert tells_arm(values, arms) == tells_arm(values, 1 - arms)


def test_one_factor_of_the_arm_is_given_away_as_well() -> None:
    aspirin, heparin = ["Y", "N"] * 100, ["H", "H", "N", "N"] * 50
    both = [f"{one}/{other}" for one, other in zip(aspirin, heparin, strict=True)]
    found = list(revealing(sample(both, **{"hidden 1": aspirin, "PLACE": aspirin})))
    assert [line.split()[0] for line in found] == ["PLACE"]


def test_subjects_without_an_arm_are_left_out_of_the_check() -> None:
    arms = ["A", "B", None, None] * 25
    told = sample(arms, SEX=["F", "M", "F", "F"] * 25)
    assert list(revealing(told))
    mixed = sample(["A", None] * 50, SEX=["F", "M"] * 50)
    assert not list(revealing(mixed))


def test_a_population_of_one_arm_is_refused_before_it_is_applied(tmp_path: Path) -> None:
    """The actual treatment is the arm, under another name and for nearly all subjects."""
    frame = subject_rows()
    frame["ACTUAL"] = np.where(frame["ARM"] == "A", "verum", "dummy")
    population = {"column": "ACTUAL", "equals": "verum"}
    column = {"datasets.dm.columns.ACTUAL": {"type": "text"}, "population": population}

    with pytest.raises(UserError, match="are of one arm, and the data have several") as refused:
        execute(blinded_study(**column), write_subjects(tmp_path / "one", frame), tmp_path)
    assert len(str(refused.value).splitlines()) == 1
    frame.loc[frame.index[frame["ARM"] == "B"][:3], "ACTUAL"] = "verum"
    with pytest.raises(UserError, match="population: column ACTUAL of dm gives the arm away"):
        execute(blinded_study(**column), write_subjects(tmp_path / "two", frame), tmp_path)


def test_labels_that_are_unknown_in_one_arm_are_refused(tmp_path: Path) -> None:
    frame = subject_rows()
    frame["ACTUAL"] = np.where(frame["ARM"] == "A", "verum", "dummy")
    changes: dict[str, Any] = {
        "datasets.dm.columns.ACTUAL": {"type": "text"},
        "tasks.death.unknown_when": {"column": "ACTUAL", "equals": "verum"},
    }

    with pytest.raises(UserError, match="unknown_when: column ACTUAL of dm gives the arm away"):
        execute(blinded_study(**changes), write_subjects(tmp_path / "data", frame), tmp_path)


def test_rows_of_one_arm_are_enough_however_few_subjects_have_them() -> None:
    """A tenth of the subjects have an event that is looked at, all of one arm."""
    arms = ["A", "B"] * 200
    study = blinded_study(**{"features.alt.where": {"column": "LBNRIND", "equals": "verum"}})
    keys = [f"P-{n}" for n in range(400)]
    own = pa.table({SUBJECT: keys, "ARM": arms, "DIED": ["Y", "Y", "N", "N"] * 100})
    of_one, of_both = keys[:80:2], keys[:40]

    for subjects, found in ((of_one, ["features.alt.where: column LBNRIND of lb"]), (of_both, [])):
        rows = {"lb": pa.table({SUBJECT: subjects, "LBNRIND": ["verum"] * 40})}
        samples = samples_of(study, AllSubjects(own, np.ones(400, bool), rows))
        told = [line.partition(" gives the")[0] for line in revealing_conditions(samples)]
        assert told == found


def test_arms_that_the_population_leaves_out_are_not_asked_for() -> None:
    """Who failed the screening is an arm in many a file, and no one of them was treated."""
    arms = ["A", "B", "Screen Failure"] * 100
    treated = ["Y", "Y", "N"] * 100
    study = blinded_study(population={"column": "DIED", "equals": "Y"})
    own = pa.table({SUBJECT: [f"P-{n}" for n in range(300)], "ARM": arms, "DIED": treated})
    inside = np.array(treated) == "Y"

    assert not list(revealing_conditions(samples_of(study, AllSubjects(own, inside, {}))))
