"""The page of outputs is that of the register."""

from __future__ import annotations

import re

from docs.list_outputs import FILE, page
from pipeline.outputs.register import REGISTER
from tests.each import each


def test_the_page_is_current() -> None:
    assert FILE.read_text(encoding="utf-8") == page(), "Write it: python -m docs.list_outputs"


def test_every_output_has_a_row_with_who_may_read_it() -> None:
    text = FILE.read_text(encoding="utf-8")

    for output in each(REGISTER):
        row = rf"^\| {re.escape(output.name)} \| {output.audience} \| {output.disclosure} \|"
        assert re.search(row, text, re.MULTILINE), output.name
