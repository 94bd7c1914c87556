"""A task's log for machines: one JSON object a line, that can be found by its run and trace."""

from __future__ import annotations

import json
import logging
import sys

from pipeline.observability.identity import line_fields, span_id, trace_id
from pipeline.observability.lines import JsonLines

SECRET = "born 1931 in Ulm"


def line(message: str, *arguments: object, failed: bool = False) -> logging.LogRecord:
    try:
        raise ValueError(SECRET)
    except ValueError:
        about = sys.exc_info() if failed else None
    return logging.LogRecord("trainer.run", logging.WARNING, "run.py", 1, message, arguments, about)


def test_a_line_has_time_level_message_run_stage_and_ids() -> None:
    found = json.loads(JsonLines(line_fields("r1", "Trainer")).format(line("%d epochs", 3)))

    assert found.pop("time").endswith("+00:00")
    assert found == {
        "level": "WARNING",
        "logger": "trainer.run",
        "message": "3 epochs",
        "run": "r1",
        "stage": "Trainer",
        "trace_id": f"{trace_id('r1'):032x}",
        "span_id": f"{span_id('r1', 'Trainer'):016x}",
    }


def test_line_breaks_stay_inside_the_object() -> None:
    assert "\n" not in JsonLines({}).format(line("one\ntwo"))


def test_of_an_exception_a_line_has_the_type_alone() -> None:
    found = JsonLines({}).format(line("the run failed", failed=True))

    assert json.loads(found)["exception.type"] == "ValueError"
    assert SECRET not in found
