"""Panels about external validations and about groups that a model did not see."""

from __future__ import annotations

from grafana.boards import look
from grafana.boards.panels import AnyPanel, Size, TableColumn, Words, grid
from grafana.queries import external_validation as queries

_NO_VALIDATION = "No registered model was validated on this study, nor one of it on another"
_NO_GROUPS = "This run left no sites or other groups out (evaluation: internal_external)"
_METRIC = TableColumn(decimals=3)
_GAIN = TableColumn(decimals=4)


def validations() -> list[AnyPanel]:
    """Validations on the study and of its models."""
    return [
        grid(
            Words(
                "Do models hold on another trial?",
                "External validations on this study, and of its models on others: how well a "
                "model ranks (AUC), mean prediction minus observed rate, and whether its "
                "predictions are too extreme (slope below 1), with the ends of their 95 % "
                "intervals. A validation changes neither the model nor what the boards above show.",
                _NO_VALIDATION,
            ),
            queries.VALIDATIONS,
            Size(24, 8),
            {
                "subjects": TableColumn(unit=look.COUNT),
                "positives": TableColumn(unit=look.COUNT),
                "auc": TableColumn("AUC", decimals=3),
                "auc_lower": TableColumn("from", decimals=3),
                "auc_upper": TableColumn("to", decimals=3),
                "large": TableColumn("in the large", decimals=3),
                "large_lower": TableColumn("from", decimals=3),
                "large_upper": TableColumn("to", decimals=3),
                "slope": TableColumn("calibration slope", decimals=2),
                "slope_lower": TableColumn("from", decimals=2),
                "slope_upper": TableColumn("to", decimals=2),
            },
        ),
        grid(
            Words(
                "Are they of use there, and would a simple update help?",
                "Net benefit at the decision thresholds, observed to expected outcomes, and what "
                "recalibration in the large and logistic recalibration would gain, cross-fitted, "
                "with the ends of their 95 % intervals. A gain above 0 favours the update.",
                _NO_VALIDATION,
            ),
            queries.ESTIMATES,
            Size(24, 9),
            {"value": _GAIN, "lower": _GAIN, "upper": _GAIN},
        ),
        grid(
            Words(
                "In which groups do they hold there?",
                "AUC, mean prediction minus observed rate, and net benefit at the decision "
                "thresholds by group, with the ends of their 95 % intervals. Groups too small to "
                "show are left out.",
                _NO_VALIDATION,
            ),
            queries.GROUPS,
            Size(24, 9),
            {"value": _GAIN, "lower": _GAIN, "upper": _GAIN},
        ),
    ]


def between_groups() -> AnyPanel:
    """The spread between groups that were left out in turn."""
    return grid(
        Words(
            "How much does run $run differ between groups that its models never saw?",
            "Under internal_external each site or other group is predicted by models trained "
            "without it: lowest and highest group, mean of a random-effects model with its 95 % "
            "interval, and where a new group would lie in 95 of 100 cases. Groups too small to "
            "show are left out.",
            _NO_GROUPS,
        ),
        queries.BETWEEN_GROUPS,
        Size(24, 7),
        {
            "groups": TableColumn(unit=look.COUNT),
            "left_out": TableColumn(unit=look.COUNT),
            "lowest": _METRIC,
            "highest": _METRIC,
            "mean": _METRIC,
            "lower": TableColumn("from", decimals=3),
            "upper": TableColumn("to", decimals=3),
            "new_lower": TableColumn("new group from", decimals=3),
            "new_upper": TableColumn("to", decimals=3),
        },
    )
