"""Artifacts of the stages, below `<study>/artifacts` and its like for other kinds of runs."""

from __future__ import annotations

import re

from pipeline.outputs.output import Audience, Disclosure, Output, Within

RUN = "<study>"
VALIDATION = "<study>/validation"
SCORING = "<study>/scoring"
MONITORING = "<study>/monitoring"
OUTCOMES = "<study>/outcomes"
ALL = (RUN, VALIDATION, SCORING, MONITORING, OUTCOMES)
"""Folders of the kinds of runs."""

_READING = (RUN, VALIDATION, SCORING, OUTCOMES)
_DESCRIBED = (RUN, VALIDATION, SCORING)
_EVALUATED = (RUN, VALIDATION)
_CHOSEN = (VALIDATION, SCORING, MONITORING)
_MODEL = "SavedModel"
_WRITERS = {
    "Trainer": "trainer.run",
    "Tuner": "trainer.tuning",
    "TrialEvaluator": "components.evaluator.executor",
    **{
        stage: f"tfx.components.{stage}"
        for stage in ("StatisticsGen", "ExampleValidator", "Transform", "Pusher")
    },
}
"""Modules of stages that are not named for their stage."""


def _patient(name: str, form: str, *places: str, of: tuple[str, ...] = (RUN,)) -> Output:
    return _artifact(name, Audience.DATA, Disclosure.PATIENT, form, places, of)


def _groups(name: str, form: str, *places: str, of: tuple[str, ...] = (RUN,)) -> Output:
    """Numbers of small groups and levels of few subjects."""
    return _artifact(name, Audience.DATA, Disclosure.INTERNAL, form, places, of)


def _model(name: str, form: str, *places: str, of: tuple[str, ...] = (RUN,)) -> Output:
    """What a server gets: it knows levels that few subjects had."""
    return _artifact(name, Audience.OPERATOR, Disclosure.INTERNAL, form, places, of)


def _operation(name: str, form: str, *places: str, of: tuple[str, ...] = (RUN,)) -> Output:
    return _artifact(name, Audience.OPERATOR, Disclosure.PUBLIC, form, places, of)


def _settings(name: str, form: str, *places: str, of: tuple[str, ...] = (RUN,)) -> Output:
    return _artifact(name, Audience.OPERATOR, Disclosure.NONE, form, places, of)


def _result(name: str, form: str, *places: str, of: tuple[str, ...] = (RUN,)) -> Output:
    return _artifact(name, Audience.RESULTS, Disclosure.PUBLIC, form, places, of)


def _artifact(
    name: str,
    audience: Audience,
    disclosure: Disclosure,
    form: str,
    places: tuple[str, ...],
    of: tuple[str, ...],
) -> Output:
    found = tuple(f"{folder}/artifacts/{place}" for folder in of for place in places)
    return Output(name, audience, disclosure, form, Within.ROOT, found, _writer(places[0]))


def _writer(place: str) -> str:
    stage = place.partition("/")[0]
    words = re.findall("[A-Z][a-z]+", stage)
    return _WRITERS.get(stage, f"components.{'_'.join(words).lower()}.executor")


ARTIFACTS = (
    _patient(
        "examples",
        "gzip, TFRecord",
        "TrialExampleGen/examples/<number>/Split-<split>/data_tfrecord-*.gz",
        of=_READING,
    ),
    _patient(
        "parts and folds of subjects",
        "Parquet",
        "TrialExampleGen/examples/<number>/dealt/*.parquet",
    ),
    _patient(
        "rejected rows",
        "JSON lines: dataset, file, row, column, reason",
        "TrialExampleGen/rejects/<number>/rejects-*.jsonl",
        of=_READING,
    ),
    _groups(
        "counts of rows and subjects",
        "JSON",
        "TrialExampleGen/rejects/<number>/counts.json",
        of=_READING,
    ),
    _operation(
        "plan of the evaluation",
        "JSON",
        "TrialExampleGen/rejects/<number>/evaluation.json",
        of=_READING,
    ),
    _operation(
        "whether the numbers of a run are shown",
        "JSON",
        "TrialExampleGen/examples/<number>/release.json",
        "TrialExampleGen/rejects/<number>/release.json",
    ),
    _groups(
        "statistics",
        "protocol buffer",
        "StatisticsGen/statistics/<number>/Split-<split>/FeatureStats.pb",
        of=_DESCRIBED,
    ),
    _settings(
        "curated schema",
        "text of a protocol buffer",
        "CuratedSchema/schema/<number>/schema.pbtxt",
        of=_EVALUATED,
    ),
    _groups(
        "anomalies",
        "protocol buffer",
        "ExampleValidator/anomalies/<number>/Split-<split>/SchemaDiff.pb",
        of=_EVALUATED,
    ),
    _operation(
        "findings of the data gate",
        "JSON",
        "DataGate/findings/<number>/findings.json",
        of=_EVALUATED,
    ),
    _operation(
        "findings on subjects that are scored",
        "JSON",
        "SkewGate/findings/<number>/findings.json",
        of=(SCORING,),
    ),
    _groups(
        "graph of Transform",
        _MODEL,
        "Transform/transform_graph/<number>/metadata/schema.pbtxt",
        "Transform/transform_graph/<number>/transform_fn/**",
        "Transform/transform_graph/<number>/transformed_metadata/*",
    ),
    _operation(
        "hyperparameters",
        "JSON",
        "Tuner/best_hyperparameters/<number>/*",
        "Tuner/tuner_results/<number>/*",
    ),
    _model(
        "model",
        _MODEL,
        "Trainer/model/<number>/Format-Serving/**",
        "BlessedModel/model/<number>/Format-Serving/**",
        "Pusher/pushed_model/<number>/**",
    ),
    _model(
        "intervals and sets of a model", "JSON", "CrossFit/uncertainty/<number>/uncertainty.json"
    ),
    _model("copy of the champion", _MODEL, "ChampionModel/model/<number>/**"),
    _model(
        "copy of the champion's statistics",
        "protocol buffer",
        "ChampionModel/statistics/<number>/**",
    ),
    _patient(
        "copy of the champion's division", "JSON, Parquet", "ChampionModel/division/<number>/*"
    ),
    _model("copy of a registered model", _MODEL, "RegisteredModel/model/<number>/**", of=_CHOSEN),
    _model(
        "copy of a registered model's statistics",
        "protocol buffer",
        "RegisteredModel/statistics/<number>/**",
        of=_CHOSEN,
    ),
    _operation(
        "which registered model is used",
        "JSON",
        "RegisteredModel/registration/<number>/registration.json",
        of=_CHOSEN,
    ),
    _operation(
        "registration of an updated model",
        "JSON",
        "UpdatedModel/updated/<number>/registration.json",
        of=(VALIDATION,),
    ),
    _operation("record of the training", "JSON", "Trainer/model_run/<number>/training.json"),
    _patient(
        "predictions of models that never saw the subject",
        "Parquet",
        "CrossFit/predictions/<number>/predictions.parquet",
        "CrossFit/predictions/<number>/uncertainty/predictions.parquet",
        "ReferenceModels/predictions/<number>/predictions.parquet",
    ),
    _operation(
        "what cross-fitting found",
        "JSON",
        "CrossFit/predictions/<number>/final_fit.json",
        "CrossFit/predictions/<number>/tuning.json",
        "ReferenceModels/predictions/<number>/reference_models.json",
    ),
    _groups(
        "evaluation by TFMA",
        "TFRecord",
        "TrialEvaluator/evaluation/<number>/*.tfrecord",
        of=_EVALUATED,
    ),
    _settings(
        "settings of the evaluation by TFMA",
        "JSON",
        "TrialEvaluator/evaluation/<number>/eval_config.json",
        of=_EVALUATED,
    ),
    _operation(
        "blessing", "name of an empty file", "TrialEvaluator/blessing/<number>/*", of=_EVALUATED
    ),
    _result(
        "verdict, metrics and curves",
        "JSON",
        "TrialEvaluator/verdict/<number>/verdict.json",
        "TrialEvaluator/verdict/<number>/metrics.json",
        "TrialEvaluator/verdict/<number>/curves.json",
        of=_EVALUATED,
    ),
    _result(
        "model card",
        "JSON, HTML",
        "ModelCard/card/<number>/card.json",
        "ModelCard/card/<number>/card.html",
    ),
    _operation("registration", "JSON", "ModelRegistrar/registration/<number>/registration.json"),
    _result(
        "summary of the trial's progress", "JSON", "TrialSummary/summary/<number>/summary.json"
    ),
    _result("analysis of the arms", "JSON", "TrialAnalysis/analysis/<number>/analysis.json"),
    _result(
        "external validation",
        "JSON",
        "ExternalValidation/validation/<number>/validation.json",
        of=(VALIDATION,),
    ),
    _operation(
        "export",
        "JSON",
        "MetricsExporter/export/<number>/export.json",
        of=(*_EVALUATED, MONITORING),
    ),
    _result(
        "what Kubeflow shows of a run",
        "HTML, Markdown, JSON",
        "RunPage/html/<number>",
        "RunPage/summary/<number>",
        "RunPage/metrics_<task>/<number>",
        "RunPage/curves_<task>/<number>",
    ),
    _result(
        "page of a validation, as Kubeflow shows it",
        "HTML",
        "ExternalValidation/html/<number>",
        of=(VALIDATION,),
    ),
    _result(
        "page of a scoring, as Kubeflow shows it",
        "HTML",
        "BatchScoring/html/<number>",
        of=(SCORING,),
    ),
    _result(
        "summary of a scoring", "JSON", "BatchScoring/summary/<number>/scoring.json", of=(SCORING,)
    ),
    _result(
        "page of a monitoring, as Kubeflow shows it",
        "HTML",
        "Monitor/html/<number>",
        of=(MONITORING,),
    ),
    _result(
        "what a monitoring found",
        "JSON",
        "Monitor/monitoring/<number>/monitoring.json",
        of=(MONITORING,),
    ),
    _result(
        "page of recorded outcomes, as Kubeflow shows it",
        "HTML",
        "OutcomeLog/html/<number>",
        of=(OUTCOMES,),
    ),
    _result(
        "counts of recorded outcomes",
        "JSON",
        "OutcomeLog/summary/<number>/outcomes.json",
        of=(OUTCOMES,),
    ),
    _artifact(
        "scored subjects",
        Audience.OWNER,
        Disclosure.PATIENT,
        "Parquet",
        ("BatchScoring/scored/<number>/part-*.parquet",),
        (SCORING,),
    ),
)
"""By stage."""
