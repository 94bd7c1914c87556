"""The form of the page: a field for each column, and the columns of a filled one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from pipeline.service.inputs import Input, Inputs
from pipeline.service.problems import malformed
from pipeline.service.validation import InputProblem

TOKEN = "access token"
"""Name of the field of the access token; with a blank: no column can be called so."""


@dataclass(frozen=True)
class Field:
    """A field of the form.

    Attributes:
        column: The column.
        given: What the person has entered.
        problem: What is wrong with it, a sentence; empty where nothing is.
    """

    column: Input
    given: str
    problem: str

    @property
    def hint(self) -> str:
        """What may be entered, for people."""
        column, parts = self.column, [self.column.source]
        if column.lower is not None and column.upper is not None:
            parts.append(f"{column.lower:g} to {column.upper:g}")
        if column.is_arm:
            parts.append("the arm that the prediction assumes; required")
        elif column.used_for:
            parts.append(f"for {column.used_for}; may be left empty")
        elif not column.must_be_given:
            parts.append("may be left empty")
        return "; ".join(part for part in parts if part)

    @property
    def is_choice(self) -> bool:
        """Whether the categories that are shown are all that the model knows."""
        return bool(self.column.shown) and self.column.shows_all


def fields_of(
    inputs: Inputs, given: Mapping[str, str], problems: Iterable[InputProblem] = ()
) -> tuple[Field, ...]:
    """The fields of the form.

    Args:
        inputs: The columns that the model reads.
        given: What the person has entered, by column.
        problems: What is wrong with it.
    """
    wrong = {problem.column: problem.detail for problem in problems}
    return tuple(
        Field(column, given.get(column.name, ""), wrong.get(column.name, ""))
        for column in inputs.all
    )


def read_form(body: bytes) -> dict[str, str]:
    """What a person has entered, by name of the field.

    Raises:
        ProblemError: The body is no form, or a field stands in it twice.
    """
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=10_000
        )
    except ValueError:
        raise malformed("The body is no form.") from None
    found = dict(pairs)
    if len(found) < len(pairs):
        raise malformed("A field stands twice in the form.")
    return found


def columns_of(inputs: Inputs, given: Mapping[str, str]) -> dict[str, object]:
    """The columns of a filled form, as a request of `/predict` has them."""
    # A person who leaves a field empty does not know whether it was missing in the trial's data.
    others = {column.name for column in inputs.others}
    return {
        name: _value(inputs.names.get(name), text)
        for name, text in given.items()
        if text.strip() or name not in others
    }


def _value(column: Input | None, text: str) -> object:
    if not text.strip():
        return None
    if column is None or column.kind != "number":
        return text
    try:
        return float(text)
    except ValueError:
        return text  # The validation says that it is no number.
