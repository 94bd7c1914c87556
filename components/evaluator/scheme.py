"""How a run evaluates, and what it looks up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tfx.types.artifact import Artifact

from components.evaluator.prediction_table import PredictionSource, folder_of_uncertainty
from pipeline.results.censoring import CensoredTask
from pipeline.results.counts import Counts
from pipeline.results.documents import read_result
from pipeline.results.evaluation_plan import SPLIT_PLAN, EvaluationPlan, read_plan
from pipeline.results.reference_models import ReferenceFit, read_reference_models
from pipeline.results.tuning import Tuning, read_tuning

PREDICTIONS_KEY = "predictions"
REFERENCES_KEY = "reference_predictions"
REJECTS_KEY = "rejects"


@dataclass(frozen=True)
class Scheme:
    """How this run evaluates.

    Attributes:
        plan: The plan of TrialExampleGen.
        source: Predictions to look up.
        own: Folder of the challenger's predictions out of fold; None on a test split.
        references: What each reference model was fitted on.
        censoring: Follow-up of the tasks that have some.
        tuning: What the procedures chose, where hyperparameters were tuned out of fold.
    """

    plan: EvaluationPlan
    source: PredictionSource
    own: str | None
    references: Mapping[str, ReferenceFit]
    censoring: Mapping[str, CensoredTask]
    tuning: Tuning | None

    @classmethod
    def of(cls, inputs: dict[str, list[Artifact]]) -> Scheme:
        """Reads the scheme and takes its artifacts, which TFX does not know, from the inputs."""

        def folder_of(key: str) -> str | None:
            found = inputs.pop(key, [])
            return found[0].uri if found else None

        rejects, own, references = map(folder_of, (REJECTS_KEY, PREDICTIONS_KEY, REFERENCES_KEY))
        plan = read_plan(rejects) if rejects else SPLIT_PLAN
        source = PredictionSource.of(plan.out_of_fold, own, references)
        source = source.and_from(folder_of_uncertainty(own))
        fitted = read_reference_models(references).models if references else {}
        return cls(
            plan,
            source,
            own if plan.out_of_fold else None,
            {name: model.fit for name, model in fitted.items()},
            read_result(Counts, rejects).censoring if rejects else {},
            read_tuning(own) if own else None,
        )

    def and_from(self, folder: str | None) -> Scheme:
        """The scheme with further predictions to look up, if there are any."""
        return replace(self, source=self.source.and_from(folder))
