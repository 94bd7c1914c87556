"""What a model is held against: simpler models, and the risks of the arms."""

from __future__ import annotations

from grafana.boards import look
from grafana.boards.panels import AnyPanel, Size, TableColumn, Words, grid
from grafana.queries import model_quality as queries

_NO_REFERENCES = "This run evaluated no reference models"
_NO_RISKS = "All follow-up reaches the horizon of every task, or this run compared no risks"


def panels() -> list[AnyPanel]:
    """The panels of the board on model quality."""
    return [_simpler_models(), _risks_of_arms()]


def _simpler_models() -> AnyPanel:
    return grid(
        Words(
            "Does a simpler model predict as well in run $run?",
            "The model beside reference models on the same subjects: their AUC and Brier score, "
            "and the model's AUC minus theirs, paired by subject, with the ends of its 95 % "
            "interval. Where the interval includes 0 no difference is shown.",
            _NO_REFERENCES,
        ),
        queries.REFERENCES,
        Size(24, 7),
        {
            "auc": TableColumn("AUC", decimals=3),
            "brier": TableColumn(decimals=4),
            "difference": TableColumn("AUC minus theirs", decimals=3),
            "difference_lower": TableColumn("from", decimals=3),
            "difference_upper": TableColumn("to", decimals=3),
        },
    )


def _risks_of_arms() -> AnyPanel:
    return grid(
        Words(
            "Do predictions of run $run add up to the risk of each arm?",
            "Where follow-up may end before the horizon: the risk by the horizon of all subjects "
            "(Kaplan-Meier, or Aalen-Johansen with competing events) with the ends of its 95 % "
            "interval, and the mean prediction. The Evaluator recorded whether they agree. Numbers "
            "from which few censored subjects would follow are not shown.",
            _NO_RISKS,
        ),
        queries.PREDICTED_RISKS,
        Size(24, 7),
        {
            "risk": TableColumn("risk by the horizon", unit=look.SHARE, decimals=1),
            "risk_lower": TableColumn("from", unit=look.SHARE, decimals=1),
            "risk_upper": TableColumn("to", unit=look.SHARE, decimals=1),
            "mean_prediction": TableColumn(unit=look.SHARE, decimals=1),
            "verdict": TableColumn("agrees"),
        },
        coloured=("verdict",),
    )
