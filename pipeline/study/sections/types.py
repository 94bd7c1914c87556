"""Types that several sections share."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

from pipeline.names import (
    CHAMPION,
    LONGEST_NAME,
    LONGEST_STUDY_NAME,
    LONGEST_TITLE,
    REFERENCE_MODELS,
    pipeline_name,
)
from pipeline.study.conditions import checked_text

FORMAT_VERSION: Literal[1] = 1
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_KNOWN = re.compile(r"baseline|after|day -?\d+")
Format = Literal[
    "xpt", "dataset-json", "csv", "parquet", "sas7bdat", "stata", "spss", "excel", "sql"
]
"""Formats of a dataset's files; `sql` is a table or query of a database."""

SELF_DESCRIBED: frozenset[Format] = frozenset({"sas7bdat", "stata", "spss"})
"""Formats whose files name their encoding, if not always rightly."""

ColumnType = Literal["text", "number", "date", "datetime"]
Aggregate = Literal["last", "first", "mean", "min", "max", "change", "count", "any"]
Severity = Literal["stop", "warn", "ignore"]
Side = Literal["at_least", "at_most"]
"""The side of its limit on which a metric passes."""

Holds = Literal["point", "bound", "overlap"]
"""Which number of an estimate must pass, see `Threshold`."""

if TYPE_CHECKING:
    OtherModel = str
else:
    OtherModel = Literal[(CHAMPION, *REFERENCE_MODELS)]
    """Type of the model that a threshold compares with, for pydantic."""


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError("expected a name of letters, digits and _, beginning with a letter")
    if len(name) > LONGEST_NAME:
        raise ValueError(f"expected a name of at most {LONGEST_NAME} characters, found {len(name)}")
    return name


def _checked_study_name(name: str) -> str:
    """Checks what the pipeline is named after, by the rules of TFX and Kubeflow.

    Kubeflow Pipelines: backend/src/apiserver/template/v2_template.go, validatePipelineName.
    """
    if len(name) > LONGEST_STUDY_NAME:
        raise ValueError(
            f"expected a study's name of at most {LONGEST_STUDY_NAME} characters, found "
            f"{len(name)}: TFX and Kubeflow name the pipeline {pipeline_name('…')} and take 63"
        )
    if name.endswith("_"):
        raise ValueError(
            "expected a study's name that ends with a letter or digit: Kubeflow refuses the name "
            f"{pipeline_name(name)} of its pipeline"
        )
    return name


def _checked_known(text: str) -> str:
    if not _KNOWN.fullmatch(text):
        raise ValueError("expected `baseline`, `day N` (a study day) or `after`")
    return text


def _checked_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("expected the IANA name of a time zone, such as Europe/Berlin") from None
    return name


def _checked_title(text: str) -> str:
    """Refuses what does not fit into a row of a table or the label of a bar."""
    if not text.strip() or not text.isprintable():
        raise ValueError("expected one line of text without tabs and other control characters")
    if len(text) > LONGEST_TITLE:
        raise ValueError(f"expected at most {LONGEST_TITLE} characters, found {len(text)}")
    return text


def refuse(problems: Iterable[str]) -> None:
    """Raises all problems at once, one per line."""
    found = list(problems)
    if found:
        raise ValueError("\n".join(found))


Name = Annotated[str, AfterValidator(_checked_name)]
StudyName = Annotated[Name, AfterValidator(_checked_study_name)]
Known = Annotated[str, AfterValidator(_checked_known)]
Zone = Annotated[str, AfterValidator(_checked_zone)]
Text = Annotated[str, AfterValidator(checked_text)]
"""A text that the data may hold."""
Title = Annotated[str, AfterValidator(_checked_title)]
"""A name for people: one short line."""
Share = Annotated[float, Field(ge=0, le=1)]
