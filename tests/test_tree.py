"""The tree of source files: none grows beyond what a person reads in one go."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.each import each

ROOT = Path(__file__).resolve().parents[1]
MOST_LINES = 500
MANY_LINES = 300
SOURCE = ("*.py", "*.sh", "Makefile", "*.sql", "*.j2", "*.css", "*.js")

REASONS = {
    "one file format, read from its first byte to its last": """
        pipeline/reading/formats/dataset_json.py pipeline/reading/formats/records.py
        pipeline/reading/formats/xpt.py""",
    "the interface of all formats, with its docstrings": "pipeline/reading/formats/base.py",
    "one plan, whose parts are decided together": """
        pipeline/reading/plan.py pipeline/reading/joined.py pipeline/study/references.py
        pipeline/study/rules.py""",
    "one document, its classes in the order of its keys; most lines are docstrings": """
        pipeline/results/analysis.py pipeline/results/card.py pipeline/results/documents.py""",
    "all tables of the store in one place": "pipeline/store/models.py",
    "all outputs of the stages in one place": "pipeline/outputs/artifacts.py",
    "all rows of an export": "pipeline/store/export.py",
    "one page from top to bottom": """
        grafana/page/quality_section.py notebooks/data/view.py notebooks/results/view.py
        pipeline/pages/analysis.py pipeline/pages/card.py pipeline/pages/monitoring.py
        pipeline/pages/validation.py""",
    "one configuration, from the choices of a person on": "pipeline/config.py",
    "all queries of one board, all kinds of panels": """
        grafana/boards/panels.py grafana/queries/model_quality.py""",
    "the graph: all stages and their channels": "pipeline/pipeline.py",
    "one life cycle: run, Flink's processes, package": """
        pipeline/beam/local_flink/cluster.py pipeline/runners/kubeflow/package.py
        pipeline/runners/local/run.py""",
    "every formula of intervals in one place": "pipeline/estimates.py",
    "one computation, whose steps share their arrays or sums": """
        components/monitor/values.py
        components/trial_summary/records.py notebooks/fairness/groups.py trainer/stack.py""",
    "one rule, or one guess, after the other": """
        components/data_gate/rules.py pipeline/draft/columns.py pipeline/draft/study.py""",
    "one benchmark: candidates, measurement and table": """
        benchmarks/coverage.py benchmarks/example_gen.py benchmarks/flink.py
        benchmarks/overhead.py""",
    "a generator of random trials with all their kinds of columns": """
        tests/pipeline/reading/random_trial.py tests/pipeline/study/generated_trial.py""",
    "Kubeflow's driver and launcher, rebuilt": "tests/kubeflow/spec_walker.py",
    "tests of one module or of one behaviour, each short": """
        tests/components/data_gate/test_executor.py tests/components/data_gate/test_rules.py
        tests/components/evaluator/test_judge.py tests/components/evaluator/test_run.py
        tests/components/model_card/test_executor.py tests/components/run_page/test_content.py
        tests/components/test_stages_agree.py
        tests/components/trial_example_gen/test_executor.py
        tests/components/trial_example_gen/test_labels.py
        tests/components/trial_example_gen/test_rejected_qualifiers.py
        tests/components/trial_example_gen/test_rejected_rows.py
        tests/components/trial_summary/test_summary_document.py tests/e2e/test_whole_run.py
        tests/grafana/test_files.py tests/grafana/test_queries.py
        tests/kubeflow/test_aws_template.py
        tests/kubeflow/test_walker.py
        tests/pipeline/cli/test_main.py
        tests/pipeline/reading/formats/test_dataset_json.py
        tests/pipeline/reading/formats/test_xpt.py tests/pipeline/reading/test_public_reports.py
        tests/pipeline/reading/test_rows_and_join.py tests/pipeline/reading/test_stored.py
        tests/pipeline/runners/kubeflow/test_package.py
        tests/pipeline/runners/kubeflow/test_spec_check.py
        tests/pipeline/runners/kubeflow/test_submit.py tests/pipeline/runs/test_registry.py
        tests/pipeline/store/test_export.py tests/pipeline/store/test_migrate_and_write.py
        tests/pipeline/study/test_references.py tests/pipeline/study/test_rules.py
        tests/schema/test_studies.py""",
}
"""Why a file has more than 300 lines. Split a file rather than add it; the list shrinks."""


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *patterns], cwd=ROOT, capture_output=True, check=True
    )
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


def lines() -> dict[str, int]:
    """Number of lines of each source file."""
    found = tracked(*SOURCE)
    assert len(found) > 300
    return {
        path.relative_to(ROOT).as_posix(): path.read_text("utf-8").count("\n") for path in found
    }


def test_no_source_file_has_more_than_500_lines() -> None:
    assert {name: count for name, count in each(lines().items()) if count > MOST_LINES} == {}


def test_a_file_of_more_than_300_lines_has_a_reason() -> None:
    large = {name: count for name, count in lines().items() if count > MANY_LINES}
    explained = {name for names in REASONS.values() for name in names.split()}

    assert {name: count for name, count in each(large.items()) if name not in explained} == {}
    assert {name for name in each(explained) if name not in large} == set()
