"""A person's choice of a Beam runner, and the options that Beam gets for it."""

from __future__ import annotations

import pytest

from pipeline.beam.choices import Runner
from pipeline.beam.options import (
    IN_MEMORY,
    BeamSettings,
    FlinkSlots,
    beam_options,
    parse_beam_options,
)
from pipeline.errors import UserError


def _values(options: tuple[str, ...]) -> dict[str, str]:
    return dict(option.removeprefix("--").split("=", 1) for option in options)


def test_without_a_choice_beam_runs_in_memory_by_name() -> None:
    assert parse_beam_options([]) == IN_MEMORY
    assert _values(beam_options(IN_MEMORY))["runner"] == "FnApiRunner"


@pytest.mark.parametrize(
    ("beams", "runner"),
    [
        ("FnApiRunner", Runner.IN_MEMORY),
        ("FlinkRunner", Runner.FLINK),
        ("DataflowRunner", Runner.DATAFLOW),
    ],
)
def test_beams_names_of_runners_are_understood(beams: str, runner: Runner) -> None:
    assert parse_beam_options([f"--runner={beams}"]).runner is runner


def test_beams_names_of_options_are_understood() -> None:
    settings = parse_beam_options(
        [
            *("--runner=flink", "--parallelism=4", "--flink_master=flink:8081"),
            "--environment_config=localhost:5",
        ]
    )
    assert settings == BeamSettings(
        runner=Runner.FLINK, workers=4, master="flink:8081", worker_pool="localhost:5"
    )


def test_an_option_that_is_not_known_here_goes_to_beam_as_it_is() -> None:
    settings = parse_beam_options(["--runner=flink", "--number_of_execution_retries=2"])
    assert settings.options == ("--number_of_execution_retries=2",)
    assert beam_options(settings)[-1] == "--number_of_execution_retries=2"


def test_an_unknown_runner_is_answered_with_those_there_are() -> None:
    with pytest.raises(UserError, match=r"no Beam runner samza .*in-memory, multi-process, flink"):
        parse_beam_options(["--runner=samza"])


@pytest.mark.parametrize("workers", ["0", "-1", "many"])
def test_a_number_of_workers_that_is_none_is_refused(workers: str) -> None:
    with pytest.raises(UserError, match="--workers"):
        parse_beam_options(["--runner=multi-process", f"--workers={workers}"])


def test_an_option_without_its_value_is_refused() -> None:
    with pytest.raises(UserError, match=r"--master.*: expected one argument"):
        parse_beam_options(["--master"])


@pytest.mark.parametrize("runner", ["in-memory", "multi-process", "dataflow"])
def test_a_clusters_address_without_its_runner_is_refused(runner: str) -> None:
    with pytest.raises(UserError, match=f"flink:8081.*but the runner is {runner}"):
        parse_beam_options([f"--runner={runner}", "--master=flink:8081"])


def test_spark_needs_its_address() -> None:
    with pytest.raises(UserError, match="--master spark://host:7077"):
        parse_beam_options(["--runner=spark"])


def test_several_processes_are_as_many_as_asked_for() -> None:
    values = _values(beam_options(BeamSettings(runner=Runner.MULTI_PROCESS, workers=3)))
    assert values["direct_running_mode"] == "multi_processing"
    assert values["direct_num_workers"] == "3"


def test_flink_uses_all_slots_and_a_worker_for_each_of_a_task_manager() -> None:
    settings = BeamSettings(runner=Runner.FLINK, master="flink:8081")
    values = _values(beam_options(settings, FlinkSlots(total=6, most_of_one=2)))
    assert values["parallelism"] == "6"
    assert values["sdk_worker_parallelism"] == "2"
    assert values["flink_master"] == "flink:8081"


def test_flink_uses_as_many_slots_as_asked_for() -> None:
    settings = BeamSettings(runner=Runner.FLINK, master="flink:8081", workers=2)
    assert _values(beam_options(settings, FlinkSlots(6, 1)))["parallelism"] == "2"


def test_workers_of_a_cluster_come_from_the_pool_and_outlive_a_step() -> None:
    settings = BeamSettings(runner=Runner.SPARK, master="spark://s:7077", worker_pool="pool:5")
    values = _values(beam_options(settings))
    assert values["environment_type"] == "EXTERNAL"
    assert values["environment_config"] == "pool:5"
    assert int(values["environment_cache_millis"]) > 0


@pytest.mark.parametrize("runner", [r for r in Runner if r is not Runner.DATAFLOW])
def test_tfx_builds_no_package_of_itself_for_any_runners_workers(runner: Runner) -> None:
    from apache_beam.options.pipeline_options import PipelineOptions
    from tfx.utils import dependency_utils

    master = "spark://host:7077" if runner in (Runner.FLINK, Runner.SPARK) else None
    options = list(beam_options(BeamSettings(runner=runner, master=master)))

    assert dependency_utils.make_beam_dependency_flags(options) == options
    assert PipelineOptions(options).get_all_options()["runner"]
