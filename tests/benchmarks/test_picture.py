"""The picture of a run: neutral, and complete without a network."""

from __future__ import annotations

import html
import re
import xml.etree.ElementTree as ElementTree

from benchmarks.picture import draw

SHOWN = (
    "A trial  run 1\n"
    "\x1b[2mdata /home/somebody/trials/ist\x1b[0m\n"
    "\x1b[32m✓\x1b[0m \x1b[1mTrainer\x1b[0m trains < 1 minute\n"
    "store     sqlite:////tmp/abc/runs/store.sqlite (12 rows)\n"
)
NEUTRAL = {"/tmp/abc/runs": "runs", "/home/somebody/trials/ist": "/data/ist"}


def words(picture: str) -> str:
    """The text of a picture, in the order of its lines."""
    return html.unescape(re.sub(r"<[^>]*>", " ", picture)).replace("\xa0", " ")


def test_the_picture_shows_the_lines_with_neutral_paths() -> None:
    text = words(draw(SHOWN, NEUTRAL))
    for line in ("data /data/ist", "sqlite:///runs/store.sqlite (12 rows)", "trains < 1 minute"):
        assert line in text
    assert "somebody" not in text
    assert "/tmp" not in text


def test_the_picture_asks_for_nothing_from_a_network() -> None:
    picture = draw(SHOWN, NEUTRAL)
    assert re.findall(r"https?://[^\"\s)]+", picture) == ["http://www.w3.org/2000/svg"]
    assert "@font-face" not in picture
    assert ElementTree.fromstring(picture).tag.endswith("svg")


def test_the_same_lines_make_the_same_picture() -> None:
    assert draw(SHOWN, NEUTRAL) == draw(SHOWN, NEUTRAL)
