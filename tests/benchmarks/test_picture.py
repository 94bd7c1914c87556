"""The picture of a run: neutral, and complete without a network."""

from __future__ import annotations

import html
import multiprocessing
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from benchmarks.picture import draw, record_terminal
from pipeline.runners.local.logs import terminal_and_log

SHOWN = (
    "A trial  run 1\n"
    "\x1b[2mdata /home/a_user/trials/ist\x1b[0m\n"
    "\x1b[32m✓\x1b[0m \x1b[1mTrainer\x1b[0m trains < 1 minute\n"
    "store     sqlite:////tmp/abc/runs/store.sqlite (12 rows)\n"
)
NEUTRAL = {"/tmp/abc/runs": "runs", "/home/a_user/trials/ist": "/data/ist"}


def words(picture: str) -> str:
    """The text of a picture, in the order of its lines."""
    return html.unescape(re.sub(r"<[^>]*>", " ", picture)).replace("\xa0", " ")


def test_the_picture_shows_the_lines_with_neutral_paths() -> None:
    text = words(draw(SHOWN, NEUTRAL))
    for line in ("data /data/ist", "sqlite:///runs/store.sqlite (12 rows)", "trains < 1 minute"):
        assert line in text
    assert "a_user" not in text
    assert "/tmp" not in text


def test_the_picture_asks_for_nothing_from_a_network() -> None:
    picture = draw(SHOWN, NEUTRAL)
    assert re.findall(r"https?://[^\"\s)]+", picture) == ["http://www.w3.org/2000/svg"]
    assert "@font-face" not in picture
    assert ElementTree.fromstring(picture).tag.endswith("svg")


def test_a_long_line_is_wrapped_between_words() -> None:
    picture = draw("word " * 30, {})
    assert 'url(#trial-run-line-1)">word' in picture
    assert words(picture).count("word") == 30


def test_the_same_lines_make_the_same_picture() -> None:
    assert draw(SHOWN, NEUTRAL) == draw(SHOWN, NEUTRAL)


def show_a_stage(log: Path) -> None:
    with terminal_and_log(log) as console:
        console.print("[green]✓[/green] Trainer")


def test_what_a_child_process_shows_is_recorded_with_its_colours(tmp_path: Path) -> None:
    # A run works in a child process.
    shown = tmp_path / "terminal"
    with record_terminal(shown):
        child = multiprocessing.get_context("fork").Process(
            target=show_a_stage, args=(tmp_path / "run.log",)
        )
        child.start()
        child.join()
    assert child.exitcode == 0
    assert shown.read_text(encoding="utf-8") == "\x1b[32m✓\x1b[0m Trainer\n"
