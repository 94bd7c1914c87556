"""The graph of an ongoing trial: no node of it refers to the arm, but to refuse what reveals it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from pipeline.config import RunConfig
from pipeline.names import ARM, slice_key
from pipeline.pipeline import create_pipeline, model_inputs, statistics_columns
from pipeline.scoring_pipeline import create_scoring_pipeline
from pipeline.study.blinded import blinded
from pipeline.study.load import load_study, parse_study
from pipeline.study.shipped import find_study_file, read_schema
from tests.each import each
from tests.pipeline.test_pipeline_graph import config as config

CONTROL, COLUMN, BY_ARM = "Placebo", "TRT01P", '"of":"arm"'


def ongoing(config: RunConfig) -> RunConfig:
    file = find_study_file("synthetic")
    content = {**load_study(file).to_content(), "conduct": "ongoing"}
    study = blinded(parse_study(content, "x"), "x")
    return replace(config, study=study, schema=read_schema(file))


def parameters(pipeline: Any) -> dict[str, str]:
    """Parameters of each node as JSON, with nothing between its marks."""
    texts = {node.id: json.dumps(dict(node.exec_properties)) for node in pipeline.components}
    return {node: text.replace("\\", "").replace(" ", "") for node, text in texts.items()}


def test_no_node_has_the_arms_names_or_columns(config: RunConfig) -> None:
    """The card states the study file; TrialExampleGen refuses what gives the column away."""
    for create in (create_pipeline, create_scoring_pipeline):
        for node, text in each(parameters(create(ongoing(config))).items()):
            assert CONTROL not in text, node
            assert COLUMN not in text.replace(f'"hidden":{{"arm":["{COLUMN}"]', ""), node
            assert BY_ARM not in text, node


def test_the_same_test_finds_the_arm_of_a_locked_trial(config: RunConfig) -> None:
    locked = replace(config, schema=read_schema(find_study_file("synthetic")))
    texts = parameters(create_pipeline(locked))
    assert CONTROL in texts["TrialExampleGen"]
    assert CONTROL in texts["CuratedSchema"]
    assert BY_ARM in texts["TrialExampleGen"]


def test_the_model_and_the_statistics_read_no_arm(config: RunConfig) -> None:
    study = ongoing(config).study
    assert ARM not in model_inputs(study).categorical
    assert not {ARM, slice_key("arm")} & set(each(statistics_columns(study)))
