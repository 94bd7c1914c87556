"""The stages of all pipelines, with what each does, for people."""

from __future__ import annotations

from collections.abc import Mapping

STAGES: Mapping[str, str] = {
    "TrialExampleGen": "reads the study's data, derives features and labels",
    "StatisticsGen": "describes every column of every split",
    "CuratedSchema": "loads the curated schema",
    "ExampleValidator": "validates statistics against the schema",
    "ChampionModel": "loads the current champion",
    "DataGate": "checks whether the data are fit for training",
    "Transform": "standardizes numbers, encodes categories",
    "Tuner": "searches hyperparameters, or leaves it to CrossFit",
    "Trainer": "trains and calibrates one model for all tasks",
    "CrossFit": "predicts subjects by models that never saw them",
    "ReferenceModels": "fits simpler models on the same subjects",
    "TrialEvaluator": "evaluates by task and slice, blesses or refuses",
    "BlessedModel": "restricts the model to its blessed tasks",
    "ModelCard": "documents the model for its users",
    "Pusher": "pushes a blessed model",
    "ModelRegistrar": "registers a blessed model as champion",
    "TrialSummary": "summarizes the trial's progress",
    "MetricsExporter": "exports results to the store",
    "RunPage": "writes the page of this run",
    "TrialAnalysis": "compares arms statistically",
    "RegisteredModel": "loads the registered model",
    "UpdatedModel": "registers the updated model beside it",
    "SkewGate": "compares the subjects with those of the training",
    "BatchScoring": "predicts every subject",
    "Monitor": "follows the predictions of the champion",
    "OutcomeLog": "adds outcomes of predicted subjects to the prediction log",
    "ExternalValidation": "compares case mix, estimates the gain of updates",
}
