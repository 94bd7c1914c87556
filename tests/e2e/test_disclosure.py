"""A study whose owner asks for an internal report: nothing else of the run changes.

The trial has a site and a race of few subjects. Their numbers are in the internal report and in
no other file.
"""

from __future__ import annotations

import html
import itertools
import json
import re
import sqlite3
import stat
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from components.evaluator.named_groups import OTHER
from pipeline.internal_report import INTERNAL_REPORT_FILE
from pipeline.pages.report import INTERNAL
from pipeline.subject_key import KEY_VARIABLE
from tests.e2e.planted_group import (
    FEW_OF_THE_RACE,
    FEW_OF_THE_SITE,
    RACE,
    SITE,
    write_planted_trial,
)
from tests.each import each
from tests.whole_runs import (
    LENIENT,
    REPOSITORY,
    SUBJECT_KEY,
    Run,
    environment,
    small_run,
    study_copy,
)

pytestmark = pytest.mark.slow

SUFFIXES = {".html", ".ipynb", ".json", ".jsonl", ".pbtxt"}
SLICINGS: dict[str, Any] = {
    "site": {"of": "site"},
    "race": {"column": "RACE"},
    "sex": {"column": "SEX"},
    "arm": {"of": "arm"},
}
OF_FILES = "model_digest|trained_model|entry_digest|digest|previous|model|statistics|documents"
"""Keys whose digests are of files that name the run or its time."""

EFFORT = re.compile(r'"(seconds|peak_memory_mb)":\s?[\d.]+')
"""What a machine needed for a stage."""


@dataclass(frozen=True)
class Pair:
    """Two runs of the same trial: one whose study is public, one whose study is internal."""

    public: Run
    internal: Run


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    folder = tmp_path_factory.mktemp("disclosure")
    data = write_planted_trial(folder / "data")
    return Pair(*(finished(folder / name, data, name) for name in ("public", "internal")))


def finished(folder: Path, data: Path, disclosure: str) -> Run:
    """A run with all that a person may write of it afterwards."""
    changes = LENIENT | {
        ("slicing", "by"): SLICINGS,
        ("slicing", "pairs"): [["arm", "sex"]],
        ("disclosure",): disclosure,
        # The shipped schema describes other slicings.
        ("gate", "anomalies"): "warn",
    }
    return finished_run(folder, changes, data)


def finished_run(folder: Path, changes: dict[Any, Any], data: Path) -> Run:
    """A run of a changed study, with report, notebooks and boards."""
    study = study_copy(folder / "study", changes)
    # One stage at a time: artifacts are numbered in the order in which stages begin.
    options = ("--data", str(data), "--stages-at-once", "1")
    run = small_run(folder / "runs", study, *options, **{KEY_VARIABLE: SUBJECT_KEY})
    assert run.code == 0, run.terminal + run.errors
    for command in ("report", "notebooks", "boards"):
        subprocess.run(
            [sys.executable, "-m", "pipeline.cli", command, "--root", str(run.root)],
            cwd=REPOSITORY,
            env=environment(),
            check=True,
            capture_output=True,
        )
    return run


def files(run: Run) -> dict[str, str]:
    """What a run left behind but its internal report: text of each file, by its place.

    Without what differs between any two runs: ids, times, folders, seconds and memory.
    """
    found = {}
    for path in run.root.rglob("*"):
        if path.suffix in SUFFIXES and path.name != INTERNAL_REPORT_FILE:
            name = neutral(str(path.relative_to(run.root)), run)
            text = neutral(path.read_text("utf-8"), run)
            found[name] = without_disclosure(text) if path.name == "run.json" else text
    return found


def neutral(text: str, run: Run) -> str:
    for own, common in ((str(run.root), "ROOT"), (str(run.root.parent), "FOLDER"), (run.id, "RUN")):
        text = text.replace(own, common)
    text = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d[\d:.]*(Z|[+]00:00)?", "TIME", text)
    text = re.sub(r"\d{8}T\d{6}\.\d{6}Z", "TIME", text)
    text = re.sub(r"\b(serving/(?:pushed/)?)\d{10}\b", r"\1TIME", text)
    text = text.replace(champion(run), "CHAMPION")
    # TensorFlow gives each SavedModel that it writes an id of its own (fingerprint.pb).
    text = re.sub(rf'("({OF_FILES})": ")[0-9a-f]{{64}}"', r'\1DIGEST"', text)
    # The audit trail names its entries by their digests, a served version by its time.
    text = re.sub(r"\b(trail/\d{8}-)[0-9a-f]{16}\b", r"\1DIGEST", text)
    text = re.sub(r'("version": )\d{10}\b', r"\1TIME", text)
    # Ids that are made of a part's or a figure's content, which names the run.
    text = re.sub(r"\b(part-|-p)[0-9a-f]{8,10}\b", "ID", text)
    return EFFORT.sub(r'"\1": 0', text)


def champion(run: Run) -> str:
    """Id of the model that a run registered."""
    content = json.loads((run.root / "registry" / run.study / "champion.json").read_text())
    return str(content["champion"]["id"])


def without_disclosure(text: str) -> str:
    """The run's file without the one key that the two studies differ in."""
    content = json.loads(text)
    content["study_file"].pop("disclosure", None)
    return json.dumps(content)


def store_rows(run: Run) -> dict[str, Counter[tuple[Any, ...]]]:
    """Rows of each table of the store, in any order, as text without ids and times."""
    with closing(sqlite3.connect(run.root / "store.sqlite")) as store:
        names = store.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {name: Counter(rows_of(store, name, run)) for (name,) in names}


def rows_of(store: sqlite3.Connection, table: str, run: Run) -> Iterator[tuple[Any, ...]]:
    found = store.execute(f"SELECT * FROM {table}")
    kept = [not EFFORT.match(f'"{name}": 0') for name, *_ in found.description]
    for row in found:
        cells = (neutral(str(cell), run) for cell in itertools.compress(row, kept))
        yield tuple(DIGEST.sub("ID", cell) for cell in cells)


DIGEST = re.compile(r"\b(?:[0-9a-f]{64}|[0-9a-f]{16})\b")
"""Ids of models, and digests of the registry's entries, of two runs never the same."""


def test_every_public_file_is_the_same(pair: Pair) -> None:
    public, internal = files(pair.public), files(pair.internal)
    assert set(public) == set(internal)
    for kind in ("report.html", "page.html", "card.html", "card.json", "boards.html", "run.json"):
        assert any(name.endswith(kind) for name in public)
    assert sum("notebooks/" in name for name in public) == 6
    # The boards show what the stages needed; all else of them is in the store.
    differing = [name for name in public if public[name] != internal[name]]
    assert differing == ["boards.html"]


def test_the_store_has_the_same_rows(pair: Pair) -> None:
    rows = store_rows(pair.public)
    assert rows["metrics"].total() > 100
    assert store_rows(pair.internal) == rows


def test_every_stage_would_be_taken_from_the_cache(pair: Pair) -> None:
    assert pair.internal.file["fingerprint"] == pair.public.file["fingerprint"]
    assert pair.internal.file["study_digest"] == pair.public.file["study_digest"]


def words(page: str) -> str:
    """What a person reads on a page."""
    shown = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", shown)))


def numbers_after(word: str, text: str, characters: int = 60) -> list[int]:
    """Whole numbers that stand soon after a word."""
    # The site's number may also stand behind a decimal point.
    found = [text[at.end() :][:characters] for at in re.finditer(rf"(?<![\d.,])\b{word}\b", text)]
    return [
        int(number) for part in found for number in re.findall(r"(?<![\d.,<])\d+(?![\d.,])", part)
    ]


@pytest.mark.parametrize(
    ("group", "few"), [(SITE, FEW_OF_THE_SITE), (RACE, FEW_OF_THE_RACE)], ids=["site", "race"]
)
def test_a_small_group_has_no_number_in_a_public_file(pair: Pair, group: str, few: int) -> None:
    texts = files(pair.internal) | {
        f"store: {table}": "\n".join(" ".join(row) for row in rows)
        for table, rows in store_rows(pair.internal).items()
    }
    for kind in ("metrics.json", "card.json", "store: suppressed_groups"):
        of_kind = [text for name, text in texts.items() if name.endswith(kind)]
        assert any(OTHER in text for text in of_kind)
        # The site's number may also be a part of another one.
        named = re.compile(rf"(?<![\w.]){group}(?![\w.])")
        assert not any(named.search(text) for text in each(of_kind))
    naming = {name: text for name, text in texts.items() if re.search(rf"\b{group}\b", text)}
    # Fewer than all of them have a known label or belong to a split or an arm.
    told = {
        name: [number for number in numbers_after(group, words(text)) if 5 < number <= few]
        for name, text in naming.items()
        if not name.endswith((".pbtxt", ".ipynb"))
    }
    assert len(told) >= 3
    assert {name: numbers for name, numbers in told.items() if numbers} == {}


def test_the_internal_report_has_the_small_group(pair: Pair) -> None:
    page = words((pair.internal.records / INTERNAL_REPORT_FILE).read_text("utf-8"))
    by_arm = [number for number in numbers_after(RACE, page) if 5 < number <= FEW_OF_THE_RACE]
    assert by_arm


def test_nothing_below_the_root_can_be_read_by_another_account(pair: Pair) -> None:
    written = [path for path in pair.public.root.rglob("*") if not path.is_symlink()]

    assert not any(path.stat().st_mode & 0o077 for path in each(written))


def test_a_second_file_is_written_for_its_owner_alone(pair: Pair) -> None:
    public, internal = sorted(pair.internal.records.glob("report*.html"))
    assert internal.name == INTERNAL_REPORT_FILE
    assert stat.S_IMODE(internal.stat().st_mode) == 0o600
    assert INTERNAL in internal.read_text()
    assert INTERNAL not in public.read_text()


def test_a_public_study_has_no_internal_report(pair: Pair) -> None:
    assert [path.name for path in pair.public.records.glob("report*.html")] == ["report.html"]


@pytest.mark.parametrize("media", ["screen", "print"])
def test_the_banner_is_seen_on_screen_and_on_paper(
    pair: Pair, browse: Callable[[Path, int], Any], media: str
) -> None:
    page = browse(pair.internal.records / INTERNAL_REPORT_FILE, 1280).page
    page.emulate_media(media=media)
    banner = page.get_by_text(INTERNAL, exact=False)
    seen = [item for item in banner.all() if item.is_visible()]
    assert seen
    box = seen[0].bounding_box()
    assert box["width"] > 200
    assert box["height"] > 10
    # It stays in sight however far a reader has scrolled.
    page.evaluate("window.scrollTo(0, document.body.scrollHeight / 2)")
    if media == "screen":
        box = seen[0].bounding_box()
        assert 0 <= box["y"] < 900
