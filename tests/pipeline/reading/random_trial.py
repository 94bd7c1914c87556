"""A random small trial with planted faults, and the study file that describes it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.pipeline.reading.formats.tables import Cell, Storage, Table

Row = dict[str, Cell]

_KEYS = ("001", "01", "1", "1.0", "1e3", "1000", "9007199254740993", "9007199254740992", "Ä-7")
"""Keys that are equal where they are read as numbers."""
_MISSING = (None, "", "  ")
_TEXTS = (
    "Übelkeit",
    "NA",
    "null",
    "None",
    "true",
    "0012",
    'a "quoted" word',
    "comma, semicolon; tab\tend",
    "two\nlines",
    "unit\x1cseparator",
    "next\x85line",
    "no-break blank\xa0",
)
_BEYOND_LATIN = ("吐き気", "line\u2028separator", "Přerov", "😷")
_PARTIAL_DATES = (
    "2014-02",
    "2014",
    "2014-01-05T10:30",
    "2014-01-05T23:59:59",
    "2014-01-05/2014-01-20",
    "2014---05",
    "--01-05",
)
_DECIMALS = ("", "", ".0", ".5", ".125", ".1", ".", "e0", ".10000000000000009")
_NOT_NUMBERS = ("UNK", "<5", "5 mg", "inf", "-inf", "nan", "1e999", "0x10", "1_000", "1.2.3", "١٢")
_NOT_DATES = (
    "UNK",
    "2014-02-30",
    "2014-13",
    "5 JAN 2014",
    "20140105",
    "2014-01-05T25:00",
    "٢٠١٤-٠١-٠٥",
    "0",
)

DM = ("USUBJID", "SITEID", "AGE", "SEX", "ITT", "DIED", "RFSTDTC", "SEQ")
AE = ("USUBJID", "AETERM", "AESTDY", "AEENDY", "AESTDTC", "AEENDTC", "GRADE", "AESPID", "AESEQ")
LB = ("USUBJID", "LBTESTCD", "LBDT", "LBSTRESN", "LBNRIND", "SEQ")
SUPP = ("RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "QNAM", "QVAL", "SEQ")

NUMBERS = frozenset({"SITEID", "AGE", "AESTDY", "AEENDY", "GRADE", "LBSTRESN", "AESEQ", "SEQ"})
_DATES = frozenset({"RFSTDTC", "AESTDTC", "AEENDTC", "LBDT"})


@dataclass(frozen=True)
class RandomTrial:
    """A trial.

    Attributes:
        tables: Its datasets.
        dated: Whether its events have dates; else they have study days.
        unreadable: (dataset, row from 1) of each row with an unreadable cell.
    """

    tables: dict[str, Table]
    dated: bool
    unreadable: frozenset[tuple[str, int]]

    def study(self, described: dict[str, dict[str, Any]]) -> dict[str, Any]:
        """The study file, with what it says of the datasets' files."""
        content = _study(dated=self.dated)
        for name, dataset in content["datasets"].items():
            dataset |= described[name]
        return content


def _study(*, dated: bool) -> dict[str, Any]:
    term = {"column": "AETERM", "equals": "Übelkeit"}
    special = {"column": "AESOSP", "equals": "Y"}
    alt = {"column": "LBTESTCD", "equals": "ALT"}
    days = ("date", "AESTDTC", "AEENDTC") if dated else ("day", "AESTDY", "AEENDY")
    high_alt = {"dataset": "lb", "where": alt, "positive": {"column": "LBSTRESN", "at_least": 40}}
    task = {"kind": "outcome", "title": "A task", "horizon": 90}
    number = {"type": "number"}
    text = {"type": "text"}
    date = {"type": "date"}
    baseline = {"known": "baseline"}
    return {
        "study": "random",
        "title": "A random trial",
        "datasets": {
            "dm": {
                "rows": "one_per_subject",
                "columns": {
                    "USUBJID": text,
                    "SITEID": {**text, **baseline},
                    "AGE": {**number, **baseline, "range": [0, 120], "missing": [999, "NK"]},
                    "SEX": {**text, **baseline, "missing": ["U"]},
                    "ITT": text,
                    "DIED": text,
                    "RFSTDTC": date,
                },
            },
            "ae": {
                "rows": "many_per_subject",
                days[0]: days[1],
                f"end_{days[0]}": days[2],
                "columns": {
                    "USUBJID": text,
                    "AETERM": text,
                    "AESPID": text,
                    "AESOSP": text,
                    "AESTDY": number,
                    "AEENDY": number,
                    "AESTDTC": date,
                    "AEENDTC": date,
                    "GRADE": {**number, "range": [1, 5]},
                },
            },
            "lb": {
                "rows": "many_per_subject",
                "date": "LBDT",
                "columns": {
                    "USUBJID": text,
                    "LBTESTCD": text,
                    "LBDT": date,
                    "LBSTRESN": {**number, "range": [0, 1000]},
                    "LBNRIND": text,
                },
            },
            "suppae": {
                "rows": "many_per_subject",
                "supplements": "ae",
                "columns": dict.fromkeys(SUPP[:-1], text),
            },
        },
        "subject": {"dataset": "dm", "column": "USUBJID", "reference_date": "RFSTDTC"},
        "population": {"column": "ITT", "equals": "Y"},
        "landmark": {"day": 28},
        "features": {
            "AGE": {"kind": "number"},
            "SEX": {"kind": "category"},
            "SITEID": {"kind": "category"},
            "alt": {
                **{"kind": "number", "dataset": "lb", "column": "LBSTRESN", "where": alt},
                "aggregate": "last",
            },
            "range": {
                **{"kind": "category", "dataset": "lb", "column": "LBNRIND"},
                "aggregate": "first",
            },
            "grade": {"kind": "number", "dataset": "ae", "column": "GRADE", "aggregate": "max"},
            "events": {"kind": "number", "dataset": "ae", "aggregate": "count"},
            "nausea": {"kind": "number", "dataset": "ae", "where": term, "aggregate": "any"},
            "special": {"kind": "number", "dataset": "ae", "where": special, "aggregate": "count"},
        },
        "tasks": {
            "death": {
                **{"kind": "outcome", "title": "Death"},
                "state": {"positive": {"column": "DIED", "equals": "Y"}},
            },
            "nausea": {**task, "event": {"dataset": "ae", "where": term}},
            "severe": {
                **task,
                "event": {"dataset": "ae", "where": {"column": "GRADE", "at_least": 3}},
            },
            "high_alt": {**task, "state": high_alt},
            "raised_alt": {**task, "state": {**high_alt, "no_row": "negative"}},
        },
    }


class _Draw:
    """Draws the cells of one trial."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self.texts = _TEXTS + (_BEYOND_LATIN if draw(st.booleans()) else ())

    def one_of(self, *values: Any) -> Any:
        return self._draw(st.sampled_from(values))

    def number_up_to(self, largest: int) -> int:
        return int(self._draw(st.integers(0, largest)))

    def text(self, *values: str) -> Cell:
        """A text, with or without blanks around it, or none."""
        value = self.one_of(*values, None)
        if value is None:
            return self.one_of(*_MISSING)
        return f"{self.one_of('', '', ' ')}{value}{self.one_of('', '', ' ', '   ')}"

    def number(self, low: int, high: int) -> Cell:
        """A number of up to three decimals, in one of the ways to write it, or none."""
        if self.one_of(False, False, False, True):
            return None
        sign = self.one_of(*("",) * 5, "+", "0")
        whole = self._draw(st.integers(low, high))
        return f"{sign}{whole}{self.one_of(*_DECIMALS)}"

    def day(self) -> Cell:
        day = self._draw(st.one_of(st.none(), st.integers(-10, 110).filter(bool)))
        return None if day is None else str(day)

    def date(self) -> Cell:
        days = self._draw(st.one_of(st.none(), st.integers(-20, 110)))
        if days is None:
            return None
        return (datetime.date(2014, 1, 3) + datetime.timedelta(days)).isoformat()

    def event_date(self) -> Cell:
        return self.one_of(self.date(), self.date(), *_PARTIAL_DATES)


def _subject(draw: _Draw, key: str) -> Row:
    return {
        "USUBJID": key + draw.one_of("", " "),
        "SITEID": draw.one_of(None, "7", "701", "12"),
        "AGE": draw.one_of(draw.number(18, 90), draw.number(18, 90), "999", "999.0", "0999", "NK"),
        "SEX": draw.text("F", "M", "U", "u"),
        "ITT": draw.one_of("Y", "Y ", "Y", "N", None),
        "DIED": draw.text("Y", "N"),
        "RFSTDTC": draw.one_of("2014-01-01", "2014-01-05", "2014-01-05", None),
    }


def _event(draw: _Draw, key: str) -> Row:
    return {
        "USUBJID": key + draw.one_of("", " "),
        "AETERM": draw.text(*draw.texts),
        "AESTDY": draw.day(),
        "AEENDY": draw.one_of(None, draw.day()),
        "AESTDTC": draw.event_date(),
        "AEENDTC": draw.one_of(None, draw.date()),
        "GRADE": draw.one_of("1", "2", "3", "5.0", None),
        "AESPID": draw.text("01", "1", "A-2"),
    }


def _lab(draw: _Draw, key: str) -> Row:
    return {
        "USUBJID": draw.one_of("", " ") + key,
        "LBTESTCD": draw.text("ALT", "ALT", "AST"),
        "LBDT": draw.date(),
        "LBSTRESN": draw.number(0, 80),
        "LBNRIND": draw.text(*draw.texts),
    }


def _qualifier(draw: _Draw, key: str) -> Row:
    return {
        "RDOMAIN": draw.one_of("AE", "AE ", "AE", "LB"),
        "USUBJID": key,
        "IDVAR": draw.one_of("AESEQ", "AESEQ", "AESPID", None, "USUBJID"),
        "IDVARVAL": draw.one_of("1", "01", "1.0", "       2", "2", "3 ", "A-2", "9", None),
        "QNAM": draw.text("AESOSP", "AESOSP", "AESOSP", "OTHER"),
        "QVAL": draw.text("Y", "N"),
    }


_UNREADABLE: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("dm", "AGE", (*_NOT_NUMBERS, "121", "-1")),
    ("dm", "RFSTDTC", _NOT_DATES),
    ("dm", "USUBJID", ("", "  ")),
    ("ae", "AESTDY", _NOT_NUMBERS),
    ("ae", "AEENDY", _NOT_NUMBERS),
    ("ae", "AESTDTC", _NOT_DATES),
    ("ae", "AEENDTC", _NOT_DATES),
    ("ae", "GRADE", (*_NOT_NUMBERS, "0", "9")),
    ("ae", "USUBJID", ("", "  ")),
    ("lb", "LBDT", _NOT_DATES),
    ("lb", "LBSTRESN", (*_NOT_NUMBERS, "1000.5")),
)


def _plant_faults(draw: _Draw, rows: dict[str, list[Row]], *, dated: bool) -> set[tuple[str, int]]:
    """Plants faults; returns the rows with an unreadable cell."""
    unused = {"AESTDY", "AEENDY"} if dated else {"AESTDTC", "AEENDTC"}
    unreadable = set()
    for _ in range(draw.number_up_to(4)):
        name, column, values = draw.one_of(*_UNREADABLE)
        if rows[name]:
            row = draw.number_up_to(len(rows[name]) - 1)
            rows[name][row][column] = draw.one_of(*values)
            if column not in unused:
                unreadable.add((name, row + 1))
    if draw.one_of(False, True):
        rows["dm"].append({**draw.one_of(*rows["dm"]), "DIED": "N"})
    if draw.one_of(False, True):
        rows["ae"].append(_event(draw, "S-of-another-trial"))
    return unreadable


def _storage(draw: _Draw, column: str) -> Storage:
    if column == "SITEID":
        return "number"
    if column in NUMBERS:
        return draw.one_of("number", "number", "text") if not column.endswith("SEQ") else "number"
    if column in _DATES:
        return draw.one_of("date", "text")
    return "text"


def _table(draw: _Draw, columns: tuple[str, ...], rows: list[Row]) -> Table:
    numbered = [{**row, columns[-1]: str(number)} for number, row in enumerate(rows, 1)]
    stored = {column: _storage(draw, column) for column in columns}
    return Table(stored, NUMBERS, tuple(numbered))


@st.composite
def random_trials(draw_from: st.DrawFn) -> RandomTrial:
    """Trials of one to four subjects."""
    draw = _Draw(draw_from)
    keys = draw_from(st.lists(st.sampled_from(_KEYS), min_size=1, max_size=4, unique=True))
    dated = draw.one_of(False, True)
    rows = {
        "dm": [_subject(draw, key) for key in keys],
        "ae": [_event(draw, draw.one_of(*keys)) for _ in range(draw.number_up_to(4))],
        "lb": [_lab(draw, draw.one_of(*keys)) for _ in range(draw.number_up_to(4))],
        "suppae": [_qualifier(draw, draw.one_of(*keys)) for _ in range(draw.number_up_to(3))],
    }
    unreadable = _plant_faults(draw, rows, dated=dated)
    columns = {"dm": DM, "ae": AE, "lb": LB, "suppae": SUPP}
    tables = {name: _table(draw, columns[name], of_name) for name, of_name in rows.items()}
    return RandomTrial(tables, dated, frozenset(unreadable))
