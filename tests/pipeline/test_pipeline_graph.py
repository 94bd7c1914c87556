"""The graph: which node waits for which, and the parameters of each."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tfx.dsl.compiler.compiler import Compiler
from tfx.proto.orchestration import pipeline_pb2

from pipeline.beam.options import IN_MEMORY, beam_options
from pipeline.config import RunConfig
from pipeline.names import SUBJECT_HASH
from pipeline.pipeline import create_pipeline
from pipeline.runners.local.lanes import BESIDE, run_lanes, run_order
from pipeline.study.load import load_study
from pipeline.study.shipped import SCHEMAS

SECRET = "a secret that no node may hold"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunConfig:
    """A run of the synthetic trial that was never started."""
    monkeypatch.setenv("TRIAL_SUBJECT_KEY", SECRET)
    return RunConfig(
        study=load_study(SCHEMAS / "synthetic" / "study.yaml"),
        schema='feature { name: "AGE" }',
        data_root=str(tmp_path / "data"),
        fingerprint="f1",
        subject_key="env:TRIAL_SUBJECT_KEY",
        subject_key_id="k1",
        pipeline_name="trial-synthetic",
        pipeline_root=str(tmp_path / "artifacts"),
        metadata_path=str(tmp_path / "metadata.sqlite"),
        serving_dir=str(tmp_path / "serving"),
        registry_root=str(tmp_path / "registry"),
        champion_token="none",
        inherited_division="none",
        look="",
        code_version="1.2.3",
        dependency_lock="0" * 64,
        seed=11,
        steps=40,
        tune=False,
        run_id="r1",
        runner="local",
        started_by="a_user",
        store="",
        data_modified=None,
        beam_args=beam_options(IN_MEMORY),
    )


def _compiled(config: RunConfig) -> pipeline_pb2.Pipeline:
    return Compiler().compile(create_pipeline(config))


def _nodes(config: RunConfig) -> dict[str, pipeline_pb2.PipelineNode]:
    return {item.pipeline_node.node_info.id: item.pipeline_node for item in _compiled(config).nodes}


def _upstream(config: RunConfig) -> dict[str, set[str]]:
    return {name: set(node.upstream_nodes) for name, node in _nodes(config).items()}


def _parameters(node: pipeline_pb2.PipelineNode) -> dict[str, Any]:
    found = {}
    for name, value in node.parameters.parameters.items():
        fixed = value.field_value
        found[name] = getattr(fixed, fixed.WhichOneof("value"))
    return found


def _inputs(node: pipeline_pb2.PipelineNode) -> dict[str, set[str]]:
    return {
        name: {channel.producer_node_query.id for channel in spec.channels}
        for name, spec in node.inputs.inputs.items()
    }


def test_no_model_is_trained_on_the_data_before_the_gate_has_judged_them(config: RunConfig) -> None:
    upstream = _upstream(replace(config, tune=True))

    def ancestors(node: str) -> set[str]:
        return set().union(*({name} | ancestors(name) for name in upstream[node]))

    for node in ("Tuner", "Trainer", "TrialEvaluator", "Pusher", "ModelRegistrar"):
        assert "DataGate" in ancestors(node), node


def test_the_gate_sees_the_champions_statistics_and_the_rejects(config: RunConfig) -> None:
    inputs = _inputs(_nodes(config)["DataGate"])
    assert inputs["champion_statistics"] == {"ChampionModel"}
    assert inputs["rejects"] == {"TrialExampleGen"}
    assert inputs["anomalies"] == {"ExampleValidator"}


def test_the_evaluator_sees_raw_examples_the_model_and_the_champion(config: RunConfig) -> None:
    inputs = _inputs(_nodes(config)["TrialEvaluator"])
    assert inputs["examples"] == {"TrialExampleGen"}
    assert inputs["model"] == {"Trainer"}
    assert inputs["champion_model"] == {"ChampionModel"}


def test_the_evaluator_sees_the_out_of_fold_predictions_and_the_plan(config: RunConfig) -> None:
    inputs = _inputs(_nodes(config)["TrialEvaluator"])
    assert inputs["predictions"] == {"CrossFit"}
    assert inputs["reference_predictions"] == {"ReferenceModels"}
    assert inputs["rejects"] == {"TrialExampleGen"}


@pytest.mark.parametrize("node", ["Pusher", "ModelRegistrar"])
def test_only_a_judged_model_is_pushed_and_registered(node: str, config: RunConfig) -> None:
    assert _inputs(_nodes(config)[node])["model_blessing"] == {"TrialEvaluator"}


def test_a_model_is_registered_after_it_was_pushed(config: RunConfig) -> None:
    assert "Pusher" in _upstream(config)["ModelRegistrar"]


def test_no_model_is_pushed_without_its_card(config: RunConfig) -> None:
    assert "ModelCard" in _upstream(config)["Pusher"]
    assert _inputs(_nodes(config)["ModelCard"])["verdict"] == {"TrialEvaluator"}


def test_the_test_split_is_kept_from_whatever_trains(config: RunConfig) -> None:
    nodes = _nodes(replace(config, tune=True))
    splits = json.loads(_parameters(nodes["Transform"])["splits_config"])
    assert splits == {"analyze": ["train"], "transform": ["train"]}
    for node in ("Tuner", "Trainer"):
        parameters = _parameters(nodes[node])
        assert json.loads(parameters["train_args"])["splits"] == ["train"]
        assert json.loads(parameters["eval_args"])["splits"] == ["eval"]


def test_the_tuner_is_there_only_when_it_was_asked_for(config: RunConfig) -> None:
    assert "Tuner" not in _nodes(config)
    tuned = _nodes(replace(config, tune=True))
    assert _inputs(tuned["Trainer"])["hyperparameters"] == {"Tuner"}
    assert "hyperparameters" not in _inputs(_nodes(config)["Trainer"])


def test_no_node_holds_the_secret_key(config: RunConfig) -> None:
    compiled = _compiled(replace(config, tune=True))
    assert SECRET.encode() not in compiled.SerializeToString()
    parameters = _parameters(_nodes(config)["TrialExampleGen"])
    assert parameters["subject_key"] == "env:TRIAL_SUBJECT_KEY"
    assert parameters["subject_key_id"] == "k1"


def test_statistics_leave_the_subject_hash_out(config: RunConfig) -> None:
    options = json.loads(_parameters(_nodes(config)["StatisticsGen"])["stats_options_json"])
    [allowed] = [value for key, value in options.items() if "allowlist" in key]
    assert "AGE" in allowed
    assert "label_response" in allowed
    assert SUBJECT_HASH not in allowed


def test_the_fingerprint_is_a_parameter_so_that_new_data_are_read_again(config: RunConfig) -> None:
    assert _parameters(_nodes(config)["TrialExampleGen"])["fingerprint"] == "f1"


def test_the_champion_token_is_a_parameter_so_that_a_new_champion_is_fetched(
    config: RunConfig,
) -> None:
    found = _nodes(replace(config, champion_token="abc"))["ChampionModel"]
    assert _parameters(found)["champion_token"] == "abc"


def test_the_division_to_inherit_is_a_parameter_so_that_the_subjects_are_dealt_by_it(
    config: RunConfig,
) -> None:
    found = _nodes(replace(config, inherited_division="abc"))
    assert _parameters(found["TrialExampleGen"])["inherited_division"] == "abc"
    for name in found.keys() - {"TrialExampleGen"}:
        assert "inherited_division" not in _parameters(found[name])


def test_the_champions_division_reaches_the_evaluator_and_this_runs_the_registry(
    config: RunConfig,
) -> None:
    nodes = _nodes(config)
    assert _inputs(nodes["TrialEvaluator"])["champion_division"] == {"ChampionModel"}
    assert _inputs(nodes["ModelRegistrar"])["rejects"] == {"TrialExampleGen"}
    assert _inputs(nodes["ModelRegistrar"])["predictions"] == {"CrossFit"}


def test_no_stage_that_serves_or_shows_a_model_reads_a_division(config: RunConfig) -> None:
    readers = {
        name
        for name, node in _nodes(config).items()
        if {"champion_division", "predictions"} & _inputs(node).keys()
    }
    assert readers == {"TrialEvaluator", "ModelRegistrar"}


@pytest.mark.parametrize("node", ["Transform", "Tuner", "Trainer"])
def test_seed_and_columns_reach_what_trains(node: str, config: RunConfig) -> None:
    found = _parameters(_nodes(replace(config, tune=True))[node])
    custom = json.loads(found["custom_config"])
    assert custom["seed"] == 11
    assert custom["inputs"]["tasks"] == ["worsening", "response", "hepatic_ae"]
    assert "arm" in custom["inputs"]["categorical"]


def test_the_page_is_written_when_it_is_known_whether_the_model_was_pushed(
    config: RunConfig,
) -> None:
    assert _inputs(_nodes(config)["RunPage"])["registration"] == {"ModelRegistrar"}


def test_a_threshold_concerns_no_more_than_the_stages_that_judge_or_show_it(
    config: RunConfig,
) -> None:
    before = _nodes(config)
    after = _nodes(replace(config, study=config.study.model_copy(update={"thresholds": ()})))
    changed = {name for name in before if _parameters(before[name]) != _parameters(after[name])}
    # The registrar writes the digest of the whole study file into the entry.
    # The card and the page describe the study.
    assert changed == {
        "TrialEvaluator",
        "ModelCard",
        "ModelRegistrar",
        "RunPage",
        "MetricsExporter",
    }


def test_the_analysis_needs_the_examples_alone_once_the_gate_has_judged_them(
    config: RunConfig,
) -> None:
    assert _inputs(_nodes(config)["TrialAnalysis"]).keys() == {"examples"}
    assert _upstream(config)["TrialAnalysis"] == {"TrialExampleGen", "DataGate"}


@pytest.mark.parametrize("node", ["Pusher", "ModelRegistrar"])
def test_no_model_is_pushed_or_registered_before_analysis_and_summary_are_done(
    node: str, config: RunConfig
) -> None:
    assert {"TrialAnalysis", "TrialSummary"} <= _upstream(config)[node]


def test_a_model_that_is_not_pushed_is_registered_after_analysis_and_summary(
    config: RunConfig,
) -> None:
    upstream = _upstream(replace(config, serving_dir=None))
    assert {"TrialAnalysis", "TrialSummary"} <= upstream["ModelRegistrar"]


def test_a_local_run_analyses_the_trial_before_it_pushes(config: RunConfig) -> None:
    order = run_order({name: node.downstream_nodes for name, node in _nodes(config).items()})
    for earlier in ("TrialAnalysis", "TrialSummary"):
        assert order.index(earlier) < order.index("Pusher") < order.index("ModelRegistrar")


@pytest.mark.parametrize("tune", [True, False])
def test_both_lanes_of_a_local_run_end(tune: bool, config: RunConfig) -> None:
    nodes = _nodes(replace(config, tune=tune))
    order = run_order({name: node.downstream_nodes for name, node in nodes.items()})
    ended: list[str] = []

    def run_stage(stage: str) -> None:
        assert {*nodes[stage].upstream_nodes} <= {*ended}
        ended.append(stage)

    upstream = {name: node.upstream_nodes for name, node in nodes.items()}
    run_lanes(order, upstream, BESIDE, run_stage, lambda: None)

    assert sorted(ended) == sorted(nodes)


def test_nothing_trains_before_gate_and_summary_found_what_the_study_file_names(
    config: RunConfig,
) -> None:
    upstream = _upstream(replace(config, tune=True))
    for node in ("Tuner", "Trainer"):
        assert {"DataGate", "TrialSummary"} <= upstream[node]


def test_the_data_are_judged_before_transform_is_shown_or_runs_in_the_same_lane(
    config: RunConfig,
) -> None:
    order = run_order({name: node.downstream_nodes for name, node in _nodes(config).items()})
    judges = ["StatisticsGen", "ExampleValidator", "DataGate", "TrialSummary"]
    assert order[order.index("StatisticsGen") :][:5] == [*judges, "Transform"]
