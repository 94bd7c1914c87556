"""Which slow tests run in the same process: `make test-slow` has two processes.

Tests of a group run one after the other in one process, so that what they share (a run of the
pipeline, a Flink, a PostgreSQL, an image) is made once. A process that has finished a group takes
the next one: the longest come first, so that both are busy until the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from xdist.scheduler import LoadScopeScheduling


@dataclass(frozen=True)
class Group:
    """Slow tests of one process.

    Attributes:
        name: What the tests share or have in common.
        minutes: How long they take beside another group on two cores, roughly.
        paths: Their files, or folders that hold nothing else, from the project's root.
    """

    name: str
    minutes: float
    paths: tuple[str, ...]


GROUPS = (
    Group(
        "kubeflow",
        29,
        (
            "tests/kubeflow/test_walk.py",
            "tests/kubeflow/test_out_of_fold_walk.py",
            "tests/kubeflow/test_image.py",
            "tests/kubeflow/test_image_walk.py",
            "tests/kubeflow/test_service_image.py",
            # A distribution is built in the folder that the image is made of.
            "tests/test_packaging.py",
        ),
    ),
    Group("debian 13", 20, ("tests/test_debian13.py",)),
    Group("flink", 12, ("tests/flink",)),
    Group(
        "disclosure",
        12,
        (
            "tests/e2e/test_all_outputs.py",
            "tests/e2e/test_blinded.py",
            "tests/e2e/test_disclosure.py",
            "tests/e2e/test_dropped_tasks.py",
            "tests/e2e/test_left_out_groups.py",
            "tests/e2e/test_out_of_fold.py",
            "tests/e2e/test_releases.py",
        ),
    ),
    Group(
        "other runs",
        11,
        (
            "tests/e2e/test_bring_your_own.py",
            "tests/e2e/test_other_runs.py",
            "tests/e2e/test_monitoring.py",
            "tests/e2e/test_outcomes.py",
            "tests/e2e/test_retraining_loop.py",
            "tests/e2e/test_scoring.py",
            "tests/e2e/test_validation.py",
        ),
    ),
    Group(
        "champions",
        9,
        (
            "tests/e2e/test_caching.py",
            "tests/e2e/test_refusals.py",
            "tests/e2e/test_repeatability.py",
        ),
    ),
    Group(
        "short ones",
        7,
        (
            "tests/benchmarks/test_alarms.py",
            "tests/components",
            "tests/grafana/test_browser.py",
            "tests/grafana/test_prometheus.py",
            "tests/pipeline/beam",
            "tests/pipeline/html",
            "tests/pipeline/pages",
            "tests/pipeline/retraining",
            "tests/pipeline/runs",
            "tests/pipeline/service",
            "tests/pipeline/synthetic",
        ),
    ),
    Group(
        "own environments",
        6,
        (
            "tests/pipeline/mlflow/test_real_server.py",
            "tests/test_airflow.py",
            "tests/test_delivery.py",
        ),
    ),
    Group(
        "compilation",
        5,
        (
            "tests/kubeflow/test_compile.py",
            "tests/kubeflow/test_validation_walk.py",
            "tests/kubeflow/test_scoring_walk.py",
            "tests/pipeline/runners",
        ),
    ),
    Group(
        "ended runs",
        5,
        (
            "tests/e2e/test_dying_stage.py",
            "tests/e2e/test_earlier_release.py",
            "tests/e2e/test_interrupt.py",
        ),
    ),
    Group("faults", 5, ("tests/campaign",)),
    Group(
        "finished runs",
        4,
        (
            "tests/notebooks",
            "tests/e2e/test_backup.py",
            "tests/e2e/test_explanations.py",
            "tests/e2e/test_report_browser.py",
            "tests/e2e/test_trained_champion.py",
            "tests/e2e/test_whole_run.py",
        ),
    ),
    Group(
        "postgres",
        4,
        (
            "tests/grafana/test_postgres.py",
            "tests/pipeline/backup",
            "tests/pipeline/predictions",
            "tests/pipeline/store",
            "tests/pipeline/reading/database/test_postgres.py",
        ),
    ),
    Group(
        "manifests",
        4,
        (
            "tests/kubeflow/test_aws_template.py",
            "tests/kubeflow/test_compose_files.py",
            "tests/kubeflow/test_flink_manifests.py",
            "tests/kubeflow/test_manifests.py",
            "tests/kubeflow/test_manifests_applied.py",
            "tests/kubeflow/test_service_chart.py",
            "tests/kubeflow/test_service_manifests.py",
        ),
    ),
    Group(
        "damaged files",
        3,
        ("tests/benchmarks/test_faults.py", "tests/pipeline/reading/formats/test_fuzz.py"),
    ),
    Group("trainer", 2, ("tests/trainer",)),
)
"""All slow tests, the longest group first."""


def groups_of(file: str) -> list[Group]:
    """Finds the groups of a file of tests: one, if it has slow tests.

    Args:
        file: From the project's root, with slashes.
    """
    places = {file, *map(str, PurePosixPath(file).parents)}
    return [group for group in GROUPS if places & set(group.paths)]


def start_of(file: str) -> int:
    """When the slow tests of a file start: the place of its group, or after all groups."""
    found = groups_of(file)
    return GROUPS.index(found[0]) if found else len(GROUPS)


class GroupScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Hands a process the tests of a whole group."""

    def _split_scope(self, nodeid: str) -> str:
        """Name of a test's group; its file where it has none."""
        file = nodeid.partition("::")[0]
        found = groups_of(file)
        return found[0].name if found else file
