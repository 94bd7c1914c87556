"""Artifact types of this project that TFX does not have.

Their names have a namespace: TFX can't compile others for Kubeflow.
"""

from tfx.types.artifact import Artifact


class TrialRejects(Artifact):
    """Rows that TrialExampleGen rejected, and the counts of all rows and subjects.

    Files: `rejects-*.jsonl` (dataset, file, row, column, reason) and `counts.json`.
    """

    TYPE_NAME = "trial.TrialRejects"


class Predictions(Artifact):
    """Out-of-fold predictions by pseudonym: `predictions.parquet`.

    See `pipeline.results.predictions`; empty under the scheme `split`. That of CrossFit has
    intervals and sets of the evaluated subjects in `uncertainty/predictions.parquet`.
    """

    TYPE_NAME = "trial.Predictions"


class ModelUncertainty(Artifact):
    """Intervals and prediction sets as functions of the prediction: `uncertainty.json`.

    See `pipeline.results.uncertainty`; nothing of a single subject.
    """

    TYPE_NAME = "trial.ModelUncertainty"


class ScoredSubjects(Artifact):
    """Predictions of subjects by pseudonym: `part-*.parquet`, see `pipeline.results.scored_file`.

    It never leaves the place of the data: `scoring.json` beside it has what is shown of it.
    """

    TYPE_NAME = "trial.ScoredSubjects"


class ScoringSummary(Artifact):
    """What is shown of scored subjects: `scoring.json`."""

    TYPE_NAME = "trial.ScoringSummary"


class MonitoringSummary(Artifact):
    """How the predictions of a model do, by calendar period: `monitoring.json`."""

    TYPE_NAME = "trial.MonitoringSummary"


class OutcomeSummary(Artifact):
    """Counts of outcomes that were added to the prediction log: `outcomes.json`."""

    TYPE_NAME = "trial.OutcomeSummary"


class GateFindings(Artifact):
    """Findings of DataGate or SkewGate: `findings.json`."""

    TYPE_NAME = "trial.GateFindings"


class ModelVerdict(Artifact):
    """The Evaluator's decision with its reasons: `verdict.json`, on `metrics.json`.

    `curves.json` has calibration curves, ROC curves and confusion matrices of the same slices.
    """

    TYPE_NAME = "trial.ModelVerdict"


class ResearcherAnalysis(Artifact):
    """The statistical analysis of the arms: `analysis.json`, see `pipeline.results.analysis`."""

    TYPE_NAME = "trial.ResearcherAnalysis"


class ModelRegistration(Artifact):
    """The registration of a blessed model: `registration.json`."""

    TYPE_NAME = "trial.ModelRegistration"


class ExternalValidation(Artifact):
    """An external validation of a registered model: `validation.json`."""

    TYPE_NAME = "trial.ExternalValidation"


class ModelCardDocument(Artifact):
    """The card of a model: `card.json` for machines, `card.html` for people."""

    TYPE_NAME = "trial.ModelCard"


class KubeflowHTML(Artifact):
    """One HTML file, at the artifact's URI itself; Kubeflow shows it on the run's page."""

    TYPE_NAME = "system.HTML"


class KubeflowMarkdown(Artifact):
    """One Markdown file, at the artifact's URI itself."""

    TYPE_NAME = "system.Markdown"


class KubeflowMetrics(Artifact):
    """A table of numbers: the custom properties. The file at the URI holds the same as JSON."""

    TYPE_NAME = "system.Metrics"


class KubeflowClassificationMetrics(Artifact):
    """ROC curve and confusion matrix, as custom properties and as a JSON file."""

    TYPE_NAME = "system.ClassificationMetrics"


class StoreExport(Artifact):
    """Whether a run is in the SQL store, and its rows if not: `export.json`."""

    TYPE_NAME = "trial.StoreExport"


class ProgressSummary(Artifact):
    """Progress of the trial: `summary.json`."""

    TYPE_NAME = "trial.ProgressSummary"
