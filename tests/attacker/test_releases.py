"""The attacker has the analyses of all releases of a trial, and subtracts each from each."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from pipeline.reading.contributions import Contributions
from pipeline.results.analysis import Analysis
from pipeline.results.held_back import held_analysis
from pipeline.runs import releases
from pipeline.runs.releases import Cut, claim
from tests.attacker.planted_subjects import PLANTED, Rows, table_of, trial_of
from tests.attacker.test_analysis import N, document_of
from tests.each import each

NEW = ("Active", "WHITE", "M", True, False, 52.0)
ANOTHER = ("Placebo", "BLACK", "F", False, True, 61.0)
THIRD = ("Active", "BLACK", "F", True, False, 47.0)

Subjects = list[tuple[int, tuple[object, ...]]]
"""Number and profile of each subject of a cut."""

Finds = list[tuple[int, int]]
"""Places of two releases that disclose few subjects."""


def enrolled(rows: Rows) -> Subjects:
    return list(enumerate(profile for profile, number in rows for _ in range(number)))


def shown(ledger: Path, subjects: Subjects) -> Analysis:
    """What people see of a cut."""
    trial = trial_of([(profile, 1) for _, profile in subjects], slicings=())
    exact = document_of(trial)
    release = claim(f"{ledger}/registry", "trial", cut_of(subjects), N)
    return held_analysis(exact, release) if release.is_held_back else exact


def cut_of(subjects: Subjects) -> Cut:
    """The contributions of a cut: each value is its own digest."""
    trial = trial_of([(profile, 1) for _, profile in subjects], slicings=())
    table = table_of(trial)
    columns = {
        str(place): np.array([hash(repr(profile[place])) % 2**32 for _, profile in subjects])
        for place in range(len(subjects[0][1]))
    }
    columns["arm"] = columns.pop("0")
    assert len(table.domains) > len(columns) // 2
    return Cut(
        Contributions(
            np.array([number for number, _ in subjects], np.uint64),
            {name: values.astype(np.uint32) for name, values in columns.items()},
        ),
        "key",
        "3fa9c1d2e4b5",
    )


def counts(document: Analysis) -> Iterator[tuple[str, int | None]]:
    """Numbers of subjects that an analysis shows, by what they count."""
    yield "subjects", document.subjects
    for factor in document.factors:
        yield from ((f"{factor.name} {level.name}", level.subjects) for level in factor.levels)
    for task in document.tasks:
        for rate in task.rates:
            yield f"{task.task} {rate.level}", rate.subjects
            yield f"{task.task} {rate.level} events", rate.events


def finds(documents: Sequence[Analysis]) -> Finds:
    """Pairs of releases of which the attacker learns the arm or the outcome of few subjects."""
    found: Finds = []
    for (one, earlier), (other, later) in itertools.combinations(enumerate(documents), 2):
        before = {name: number for name, number in counts(earlier) if number is not None}
        after = {name: number for name, number in counts(later) if number is not None}
        differences = {name: abs(after[name] - before[name]) for name in before.keys() & after}
        everyone = differences.get("subjects", 0)
        of_arms = [number for name, number in differences.items() if name.startswith("arm ")]
        few = any(0 < number < N for number in (everyone, *of_arms))
        # The same subjects, but a value of few changed.
        changed = everyone == 0 and any(0 < number < N for number in differences.values())
        if few or changed:
            found.append((one, other))
    return found


def nights() -> list[Subjects]:
    """Cuts of a trial that grows by one to three subjects a night, with all that may happen."""
    cuts = [enrolled(PLANTED)]
    profiles = itertools.cycle([NEW, ANOTHER, THIRD])
    for more in (1, 2, 3, 0, 1, 3, 2, 3, 3, 1):
        last = cuts[-1]
        first = last[-1][0] + 1
        cuts.append(last + [(first + place, next(profiles)) for place in range(more)])
    # One withdraws, one's outcome is corrected, the first cut is run again.
    cuts.append([subject for subject in cuts[-1] if subject[0] != 3])
    number, profile = cuts[0][0]
    cuts.append([(number, (*profile[:3], True, *profile[4:])), *cuts[0][1:]])
    cuts.append(cuts[0])
    return cuts


def test_one_subject_more_is_not_found(tmp_path: Path) -> None:
    """The second cut has one subject more, in the active arm and with the outcome."""
    cuts = [enrolled(PLANTED), [*enrolled(PLANTED), (1000, NEW)]]
    assert finds([shown(tmp_path, cut) for cut in each(cuts)]) == []


def test_nights_of_an_enrolling_trial_disclose_no_subject(tmp_path: Path) -> None:
    documents = [shown(tmp_path, cut) for cut in each(nights())]
    assert finds(documents) == []
    # Some later night is shown, and the first cut again as it was.
    sizes = [document.subjects for document in documents]
    assert len({size for size in sizes if size}) > 1
    assert documents[-1].model_dump_json() == documents[0].model_dump_json()


def test_subjects_are_found_without_the_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(releases, "_reason", lambda *_: None)
    found = finds([shown(tmp_path, cut) for cut in each(nights())])
    last = len(nights()) - 1
    assert (0, 1) in found
    assert (0, last - 1) in found


def test_subjects_are_found_where_only_the_last_release_is_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = releases._names
    monkeypatch.setattr(releases, "_names", lambda folder: names(folder)[-1:])
    many = [*enrolled(PLANTED), *((1000 + place, NEW) for place in range(20))]
    many += [(2000 + place, ANOTHER) for place in range(20)]
    cuts = [enrolled(PLANTED), many, [*enrolled(PLANTED), (3000, THIRD)]]
    assert (0, 2) in finds([shown(tmp_path, cut) for cut in cuts])
