"""Shared by all boards: data source, colours, units, thresholds."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models import common, dashboard

from grafana import limits

DATASOURCE_TYPE = "grafana-postgresql-datasource"
DATASOURCE_UID = "trial-store"
DATASOURCE = common.DataSourceRef(type_val=DATASOURCE_TYPE, uid=DATASOURCE_UID)
PROMETHEUS_TYPE = "prometheus"
PROMETHEUS_UID = "trial-prometheus"
PROMETHEUS = common.DataSourceRef(type_val=PROMETHEUS_TYPE, uid=PROMETHEUS_UID)

FOLDER = "Clinical trial"
FOLDER_UID = "trial"

GOOD = "green"
WARN = "orange"
BAD = "red"
PLAIN = "text"

CHALLENGER = "blue"
CHAMPION = "purple"
LIMIT = "orange"

SHARE = "percentunit"
SCORE = "none"
SECONDS = "s"
MEMORY = "mbytes"
DAYS = "d"
COUNT = "locale"
PER_SECOND = "reqps"

Steps = tuple[tuple[float | None, str], ...]
"""Colours by value, each from its value on; the first one has none."""

STEPS_PLAIN: Steps = ((None, PLAIN),)
STEPS_NONE: Steps = ((None, GOOD), (1, BAD))
STEPS_GAP: Steps = ((None, GOOD), (limits.GAP / 2, WARN), (limits.GAP, BAD))
STEPS_SILENCE: Steps = (
    (None, GOOD),
    (limits.DAYS_WITHOUT_SUCCESS / 2, WARN),
    (limits.DAYS_WITHOUT_SUCCESS, BAD),
)
STEPS_DATA: Steps = ((None, GOOD), (limits.DAYS_OF_DATA / 2, WARN), (limits.DAYS_OF_DATA, BAD))
STEPS_MODEL: Steps = ((None, GOOD), (limits.DAYS_OF_MODEL / 2, WARN), (limits.DAYS_OF_MODEL, BAD))
STEPS_ERRORS: Steps = ((None, GOOD), (limits.ERRORS / 2, WARN), (limits.ERRORS, BAD))
STEPS_SLOW: Steps = (
    (None, GOOD),
    (limits.SECONDS_OF_A_REQUEST / 2, WARN),
    (limits.SECONDS_OF_A_REQUEST, BAD),
)
STEPS_SOME: Steps = ((None, BAD), (1, GOOD))
STEPS_BOUNDARY: Steps = ((None, GOOD), (1, BAD))
STEPS_COMPLETE: Steps = (
    (None, BAD),
    (limits.COMPLETENESS, WARN),
    ((1 + limits.COMPLETENESS) / 2, GOOD),
)

WORDS: dict[str, str] = {
    "blessed": GOOD,
    "blessed for some tasks": WARN,
    "refused": BAD,
    "not judged": WARN,
    "passes": GOOD,
    "fails": BAD,
    "done": GOOD,
    "failed": BAD,
    "killed": BAD,
    "interrupted": WARN,
    "running": PLAIN,
    "cached": PLAIN,
    "ok": GOOD,
    "warn": WARN,
    "stop": BAD,
    "more than control": WARN,
    "fired": BAD,
    "quiet": GOOD,
    "within": GOOD,
    "beyond": BAD,
    "champion": GOOD,
    "candidate": PLAIN,
    "former champion": PLAIN,
    "retired": WARN,
}
"""Colour of a status word."""


def thresholds(steps: Steps) -> builders.ThresholdsConfig:
    """Steps as Grafana has them."""
    return (
        builders.ThresholdsConfig()
        .mode(dashboard.ThresholdsMode.ABSOLUTE)
        .steps([dashboard.Threshold(value=value, color=colour) for value, colour in steps])
    )


def words() -> list[dashboard.ValueMapping]:
    """Colours of words as Grafana has them."""
    return [
        dashboard.ValueMap(
            options={
                word: dashboard.ValueMappingResult(text=word, color=colour, index=place)
                for place, (word, colour) in enumerate(WORDS.items())
            }
        )
    ]


def properties(**values: object) -> list[dashboard.DynamicConfigValue]:
    """Properties of a field; `__` in a name stands for a point."""
    return [
        dashboard.DynamicConfigValue(id_val=name.replace("__", "."), value=value)
        for name, value in values.items()
    ]


def fixed(colour: str) -> dict[str, str]:
    """A colour that does not depend on the value."""
    return {"mode": "fixed", "fixedColor": colour}


def steps_of(steps: Steps) -> dict[str, object]:
    """Steps as the value of a field's property."""
    return {
        "mode": "absolute",
        "steps": [{"value": value, "color": colour} for value, colour in steps],
    }
