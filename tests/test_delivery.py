"""The workflows of GitHub and GitLab: the same steps, each a target of the Makefile."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.environments import environment
from pipeline.runs.register import NONE, Decision
from pipeline.runs.registry import Registry
from pipeline.version import PROJECT
from tests.commands import check
from tests.each import each
from tests.kubeflow.delivery_jobs import checkout
from tests.pipeline.cli.command_tree import COMMANDS
from tests.pipeline.cli.test_makefile import called, outside_of_make, parse
from tests.pipeline.runs.governed import add
from tests.pipeline.service.hand_made import CONTENT, STUDY

GITHUB = PROJECT / ".github" / "workflows" / "delivery.yml"
GITLAB = PROJECT / ".gitlab-ci.yml"
PROMOTION = GITHUB.with_name("promotion.yml")
COMPOSE = PROJECT / "kubeflow" / "service" / "compose.yaml"
JOBS = ("test", "build", "staging", "promotion")
OF_THE_COMMIT = {
    **{"GITHUB_SHA": "COMMIT", "CI_COMMIT_SHA": "COMMIT"},
    **{"GITHUB_TRIGGERING_ACTOR": "ACTOR", "GITLAB_USER_LOGIN": "ACTOR"},
    **{"GITHUB_STEP_SUMMARY": "HANDED_ON", "verdict.env": '"$HANDED_ON"'},
    **{"PROMOTED": "MODEL", "JUDGED_RUN": "MODEL", "commit $COMMIT": "$WHY"},
}
"""What a job's command has of its platform."""


def jobs_of_github() -> dict[str, Any]:
    files = [yaml.safe_load(path.read_text("utf-8")) for path in (GITHUB, PROMOTION)]
    return {name: job for content in files for name, job in content["jobs"].items()}


def steps_of_github() -> dict[str, list[str]]:
    return {
        name: [step["run"] for step in job["steps"] if "run" in step]
        for name, job in jobs_of_github().items()
    }


def texts_of_github() -> str:
    return GITHUB.read_text("utf-8") + PROMOTION.read_text("utf-8")


def steps_of_gitlab() -> dict[str, list[str]]:
    content = yaml.safe_load(GITLAB.read_text("utf-8"))
    return {name: content[name]["script"] for name in content["stages"]}


def on_any(command: str) -> str:
    for variable, name in OF_THE_COMMIT.items():
        command = command.replace(variable, name)
    return command


STEPS = sorted(
    {
        step
        for jobs in (steps_of_gitlab(), steps_of_github())
        for steps in jobs.values()
        for step in steps
    }
)


def test_the_jobs_follow_each_other() -> None:
    github = jobs_of_github()

    assert tuple(github) == JOBS
    # A person starts the last one.
    assert [job.get("needs") for job in github.values()] == [None, "test", "build", None]
    assert tuple(steps_of_gitlab()) == JOBS


def test_both_run_the_same_commands_in_the_same_order() -> None:
    gitlab = steps_of_gitlab()
    for job, steps in each(steps_of_github().items()):
        assert [on_any(step) for step in each(steps)] == [on_any(step) for step in gitlab[job]]


@pytest.mark.parametrize("step", STEPS)
def test_a_step_is_a_target_that_make_knows(step: str) -> None:
    words = shlex.split(step)

    assert words[0] == "make"
    planned = subprocess.run(
        ["make", "-n", *words[1:]], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert planned.returncode == 0, planned.stderr


@pytest.mark.parametrize(
    "step", [step for step in STEPS if re.match("make (compile|submit|verdict|promote)", step)]
)
def test_trial_accepts_what_a_step_gives_it(step: str, tmp_path: Path) -> None:
    target, *variables = shlex.split(re.sub(r"\$([A-Z_]+)", r"value-of-\1", step))[1:]

    assert target in " ".join(map(str, COMMANDS))
    given = parse(called(tmp_path, target, "STUDY=ist", *variables))

    for variable in variables:  # may be empty
        assert variable.partition("=")[2] in str(given)


def test_the_table_of_the_docs_has_the_commands_of_each_job() -> None:
    table = (PROJECT / "docs/delivery.md").read_text("utf-8")
    for job, steps in each(steps_of_gitlab().items()):
        [row] = re.findall(rf"^\| {job} \| ([^|]*) \|", table, re.MULTILINE)
        fixed = [[word for word in shlex.split(step) if "$" not in word] for step in steps]
        assert re.findall("`([^`]*)`", row) == [" ".join(words) for words in fixed]


def test_both_images_are_built_and_pushed_for_the_commit() -> None:
    tasks, service = "$IMAGE_NAME:$CI_COMMIT_SHA", "$IMAGE_NAME-service:$CI_COMMIT_SHA"
    assert [shlex.split(step) for step in steps_of_gitlab()["build"]] == [
        ["make", "image", f"IMAGE={tasks}"],
        ["make", "push", f"IMAGE={tasks}"],
        ["make", "service-image", f"IMAGE={service}"],
        ["make", "push", f"IMAGE={service}"],
    ]


def test_the_run_on_staging_knows_where_its_data_are(tmp_path: Path) -> None:
    [step] = {step for step in STEPS if step.startswith("make submit")}
    variables = shlex.split(step.replace("$STAGING_DATA", "s3://bucket/data"))[2:]

    given = called(tmp_path, "submit", "STUDY=ist", *variables)

    assert "data_root=s3://bucket/data" in given


def test_variables_and_secrets_are_those_of_the_docs() -> None:
    documented = set(
        re.findall(r"^\| `([A-Z_]+)` \|", (PROJECT / "docs/delivery.md").read_text(), re.MULTILINE)
    )
    github = set(re.findall(r"(?:vars|secrets)\.([A-Z_]+)", texts_of_github()))

    assert github == documented


def test_no_secret_is_in_a_command() -> None:
    secrets = re.findall(r"secrets\.([A-Z_]+)", texts_of_github())
    for step in STEPS:
        assert not [secret for secret in each(secrets) if secret in step]


@pytest.mark.slow
def test_two_people_who_start_githubs_promotion_promote_the_model(tmp_path: Path) -> None:
    """As the platform runs it: the second time it is the same run, started again by another one."""
    folder = checkout(tmp_path / "checkout")
    content = CONTENT | {"registry": {"promotion": "two_persons"}}
    (folder / "study.yaml").write_text(yaml.safe_dump(content))
    registry, serving = tmp_path / "registry", tmp_path / "serving"
    waits = Decision(NONE, "two_persons")
    model = add(str(registry), tmp_path, "staging", waits, study=STUDY).entry
    # Registered since: it is not what was approved.
    add(str(registry), tmp_path, "newer", waits, study=STUDY)
    [command] = steps_of_github()["promotion"]

    def started_by(person: str) -> subprocess.CompletedProcess[str]:
        variables = {
            **{"STUDY": "study.yaml", "REGISTRY": str(registry), "SERVING": str(serving)},
            **{"PROMOTED": model.run, "WHY": "approved in meeting 12"},
            **{"GITHUB_ACTOR": "ada", "GITHUB_TRIGGERING_ACTOR": person},
        }
        return subprocess.run(
            ["sh", "-c", command],
            cwd=folder,
            env={**outside_of_make(), **variables, "PYTHONPATH": ""},
            capture_output=True,
            text=True,
            check=False,
        )

    first, again, second = map(started_by, ("ada", "ada", "grace"))

    assert "1 more must approve" in first.stdout, first.stderr
    assert again.returncode == 2
    assert f"has approved of {model.id} already" in again.stderr
    assert f"champion  {model.id}" in second.stdout, second.stderr
    last = Registry(str(registry)).book(STUDY).entries()[-1]
    assert (last.action, last.reason) == ("promoted", "approved in meeting 12")
    assert [actor.name for actor in (*last.approvals, last.actor)] == ["ada", "grace"]
    [served] = serving.iterdir()
    assert (served / "saved_model.pb").read_text() == "staging"


@pytest.fixture(scope="module")
def check_jsonschema(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, which ships the published schemas."""
    folder = tmp_path_factory.mktemp("check-jsonschema") / "env"
    return environment("delivery", folder) / "check-jsonschema"


PUBLISHED = {
    GITHUB: "vendor.github-workflows",
    PROMOTION: "vendor.github-workflows",
    GITLAB: "vendor.gitlab-ci",
    COMPOSE: "vendor.compose-spec",
    PROJECT / "grafana" / "compose.yaml": "vendor.compose-spec",
}


@pytest.mark.slow
@pytest.mark.parametrize("file", PUBLISHED, ids=lambda file: str(file.relative_to(PROJECT)))
def test_a_file_is_valid_by_its_published_schema(check_jsonschema: Path, file: Path) -> None:
    said = check(check_jsonschema, "--builtin-schema", PUBLISHED[file], file)
    assert said == "ok -- validation done\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "key", "mistyped"),
    [
        (GITHUB, "runs-on:", "run-on:"),
        (GITLAB, "script:", "scripts:"),
        (COMPOSE, "read_only:", "readonly:"),
    ],
    ids=["github", "gitlab", "compose"],
)
def test_a_mistyped_key_is_not(
    check_jsonschema: Path, file: Path, key: str, mistyped: str, tmp_path: Path
) -> None:
    changed = tmp_path / file.name
    changed.write_text(file.read_text("utf-8").replace(key, mistyped, 1))

    ran = subprocess.run(
        [check_jsonschema, "--builtin-schema", PUBLISHED[file], changed],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert "Schema validation errors were encountered" in ran.stdout
