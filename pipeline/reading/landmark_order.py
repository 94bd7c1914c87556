"""Checks columns that say what came first on the landmark's day, before any row is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pipeline.errors import UserError
from pipeline.reading.files import file_format
from pipeline.reading.formats import zone_of
from pipeline.study.references import Reference
from pipeline.study.sections import LandmarkOrder
from pipeline.study.study import Study

_WORDS = {"number": "numbers", "text": "text", "datetime": "dates and times"}


def check_orders(
    study: Study,
    uses: Iterable[Reference],
    types: Mapping[str, Mapping[str, str]],
    paths: Mapping[str, str],
) -> None:
    """Checks the columns of each `landmark_day` that compares with the landmark's own.

    Args:
        study: The study.
        uses: Uses of columns that a stage reads.
        types: Type of each column by dataset.
        paths: A file of each dataset.

    Raises:
        UserError: A column holds no times of day, or the two can't be compared.
    """
    used = {use.key for use in uses}
    for key, dataset, order in _orders(study):
        if f"{key}.column" not in used:
            continue
        places = ((dataset, order.column), (study.subject.dataset, order.landmark))
        found = [types[name][column] for name, column in places]
        for (name, column), type_ in zip(places, found, strict=True):
            if type_ == "date":
                raise UserError(
                    f"{key}: column {column} of dataset {name} holds dates without a time of day, "
                    "which can't say what came first on one day. Name columns with date and time, "
                    "times of day or numbers that rise with time."
                )
        if (found[0] == "number") != (found[1] == "number"):
            held = " and ".join(
                f"column {column} of dataset {name} ({_WORDS[type_]})"
                for (name, column), type_ in zip(places, found, strict=True)
            )
            raise UserError(
                f"{key}: {held} can't be compared. Name two columns of one kind, or declare their "
                "type under the dataset's `columns`."
            )
        zones = [_zone(study, paths, *place) for place in places]
        if zones[0] != zones[1]:
            raise UserError(
                f"{key}: the times of datasets {places[0][0]} and {places[1][0]} are those of "
                "different time zones, so they can't be compared. Say one `zone` for both datasets."
            )


def _orders(study: Study) -> Iterator[tuple[str, str, LandmarkOrder]]:
    """Key, dataset of the event, and columns."""
    for name, task in study.tasks.items():
        if task.event and isinstance(task.event.landmark_day, LandmarkOrder):
            yield f"tasks.{name}.event.landmark_day", task.event.dataset, task.event.landmark_day


def _zone(study: Study, paths: Mapping[str, str], dataset: str, column: str) -> str | None:
    described = study.datasets[dataset]
    return described.zone or zone_of(paths[dataset], file_format(described), column)
