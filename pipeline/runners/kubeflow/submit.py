"""Starts a run on Kubeflow Pipelines, or a recurring one."""

from __future__ import annotations

import contextlib
import io
import json
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import UserError
from pipeline.runners.kubeflow.form import RunForm

if TYPE_CHECKING:
    from kfp.client import Client
    from kfp_server_api import ApiClient, ApiException

TOKEN_VARIABLE = "TRIAL_KUBEFLOW_TOKEN"
"""Environment variable with a bearer token for the endpoint."""

TOKEN_FILE = Path("/var/run/secrets/kubeflow/pipelines/token")
"""Path of a pod's token for Kubeflow Pipelines; kfp's client reads it too."""

DEFAULT_EXPERIMENT = "Default"
"""Kubeflow's own."""

SERVICE_ACCOUNT = "trial-runner"
"""Service account of a run's tasks, as the manifests have it."""

_SECONDS_TO_ANSWER = 20
_LONGEST_ANSWER = 500
_NO_NAMESPACE = "kubeflow"
"""The client's default for no namespace."""

_HEALTH = "/apis/v2beta1/healthz"
_CRON_FIELDS = 5
_ENDED = ("SUCCEEDED", "FAILED", "CANCELED", "SKIPPED")


@dataclass(frozen=True)
class Target:
    """Where runs are submitted to, and under which names.

    Attributes:
        endpoint: Address of Kubeflow Pipelines.
        namespace: The profile, where Kubeflow has several users.
        experiment: Experiment of the run.
        service_account: Service account of a run's tasks.
    """

    endpoint: str
    namespace: str | None = None
    experiment: str = DEFAULT_EXPERIMENT
    service_account: str = SERVICE_ACCOUNT

    def page(self, path: str) -> str:
        """Address of a page of Kubeflow Pipelines."""
        return f"{self.endpoint.rstrip('/')}/#/{path}"


def submit(target: Target, form: RunForm, values: Mapping[str, object]) -> str:
    """Starts a run.

    Args:
        target: Where to submit it.
        form: The form of the compiled package.
        values: Values of the run's form.

    Returns:
        The run's id.

    Raises:
        UserError: The endpoint does not answer, rejects the token, is too old, or rejects the
            package.
    """
    with _client(target) as client:
        run = client.create_run_from_pipeline_package(
            str(form.package),
            arguments=dict(values),
            run_name=f"{form.pipeline} {datetime.now():%Y-%m-%d %H:%M:%S}",
            experiment_name=target.experiment,
            namespace=target.namespace,
            service_account=target.service_account,
        )
    return str(run.run_id)


def wait(target: Target, run: str, minutes: float, pause: float = 10.0) -> str:
    """Waits for the end of a run.

    Args:
        target: Where it was submitted to.
        run: The run's id.
        minutes: The longest wait.
        pause: Seconds between two questions.

    Returns:
        The state that the run ended with: `SUCCEEDED`, `FAILED`, `CANCELED` or `SKIPPED`.

    Raises:
        UserError: The endpoint does not answer any more, or the run has not ended by then.
    """
    started = time.monotonic()
    while True:
        with _client(target) as client:
            state = str(client.get_run(run).state)
        if state in _ENDED:
            return state
        if time.monotonic() - started > minutes * 60:
            raise UserError(
                f"{target.page(f'runs/details/{run}')}: the run is {state.lower()} after "
                f"{minutes:g} minutes; it goes on. Wait longer with --wait."
            )
        time.sleep(pause)


def schedule(target: Target, form: RunForm, values: Mapping[str, object], cron: str) -> str:
    """Creates a recurring run named as the package's pipeline: one at a time, without catch-up.

    Args:
        target: Where to submit it.
        form: The form of the compiled package.
        values: Values of the run's form.
        cron: Minute, hour, day of the month, month and day of the week.

    Returns:
        The recurring run's id.

    Raises:
        UserError: As for `submit`; or the schedule does not have these five fields, or a
            recurring run of this name exists.
    """
    name = form.pipeline
    fields = cron.split()
    if len(fields) != _CRON_FIELDS:
        raise UserError(
            f"The schedule is {cron!r}: expected minute, hour, day of the month, month and day of "
            'the week, such as "0 3 * * *" for each night at three (CRON=, --cron).'
        )
    with _client(target) as client:
        experiment = client.create_experiment(target.experiment, namespace=target.namespace)
        same_name = {"operation": "EQUALS", "key": "display_name", "stringValue": name}
        there = client.list_recurring_runs(
            experiment_id=experiment.experiment_id, filter=json.dumps({"predicates": [same_name]})
        )
        if there.recurring_runs:
            page = target.page(f"recurringrun/details/{there.recurring_runs[0].recurring_run_id}")
            raise UserError(
                f"{target.endpoint}: there is a recurring run {name} already, and both would run: "
                f"delete it first ({page})."
            )
        made = client.create_recurring_run(
            experiment_id=experiment.experiment_id,
            job_name=name,
            # Kubeflow's first field is seconds; given five fields it would read minutes as seconds.
            cron_expression=" ".join(["0", *fields]),
            no_catchup=True,
            params=dict(values),
            pipeline_package_path=str(form.package),
            service_account=target.service_account,
        )
    return str(made.recurring_run_id)


@contextlib.contextmanager
def _client(target: Target) -> Iterator[Client]:
    """A client of a reachable endpoint; its errors are translated to one line."""
    # The client warns about its own version and prints its progress.
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        from kfp.client import Client

        with _translate_errors(target.endpoint):
            _check_endpoint(target.endpoint, target.namespace)
            yield Client(
                host=target.endpoint,
                existing_token=_token(),
                namespace=target.namespace or _NO_NAMESPACE,
            )


def _check_endpoint(endpoint: str, namespace: str | None) -> None:
    """Checks the endpoint's health; kfp's own client would retry five times and log each failure.

    Raises:
        UserError: The address is invalid, does not lead to Kubeflow Pipelines, or needs a
            namespace.
    """
    if not endpoint.startswith(("http://", "https://")):
        raise UserError(
            f"The address of Kubeflow Pipelines is {endpoint!r}: expected one that begins with "
            "http:// or https:// (ENDPOINT=, --endpoint)."
        )
    with _api(endpoint) as api:
        answer = api.call_api(
            _HEALTH,
            "GET",
            header_params={"Accept": "application/json"},
            auth_settings=["Bearer"],
            _preload_content=False,
            _return_http_data_only=True,
            _request_timeout=_SECONDS_TO_ANSWER,
        )
        try:
            health = json.loads(answer.data)
        except ValueError as error:
            raise UserError(
                f"{endpoint}: a page answers, not Kubeflow Pipelines; perhaps one to log in. Give "
                f"the address of its API, and a token in {TOKEN_VARIABLE} if it asks for one."
            ) from error
    if isinstance(health, dict) and health.get("multi_user") and not namespace:
        raise UserError(
            f"{endpoint}: Kubeflow Pipelines has several users here: name the profile that the run "
            "belongs to (NAMESPACE=, --namespace)."
        )


@contextlib.contextmanager
def _api(endpoint: str) -> Iterator[ApiClient]:
    from kfp_server_api import ApiClient, Configuration
    from urllib3 import Retry

    configuration = Configuration(host=endpoint.rstrip("/"))
    # The user is waiting, and urllib3 logs each attempt.
    configuration.retries = Retry(total=None, connect=0, read=0, redirect=3)
    token = _token()
    if token:
        configuration.api_key["authorization"] = token
        configuration.api_key_prefix["authorization"] = "Bearer"
    with ApiClient(configuration) as client:
        yield client


def _token() -> str | None:
    token = os.environ.get(TOKEN_VARIABLE)
    if not token and TOKEN_FILE.exists():
        token = TOKEN_FILE.read_text(encoding="utf-8")
    return token.strip() if token else None


@contextlib.contextmanager
def _translate_errors(endpoint: str) -> Iterator[None]:
    """Translates the endpoint's errors to one line."""
    from kfp_server_api import ApiException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except ApiException as error:
        raise UserError(f"{endpoint}: {_explain(error)}") from error
    except HTTPError as error:
        # urllib3 wraps the cause in a description of the attempt.
        cause = getattr(error, "reason", None) or error
        cause_text = str(cause).rpartition(": ")[2] or type(cause).__name__
        raise UserError(
            f"{endpoint}: Kubeflow Pipelines does not answer ({cause_text}). Check the address and "
            "that it can be reached from here, such as by kubectl port-forward."
        ) from error


def _explain(error: ApiException) -> str:
    known: dict[int, Callable[[str], str]] = {
        401: lambda _: (
            f"the token is missing or has expired: put a new one into {TOKEN_VARIABLE} (such as "
            "from `kubectl create token`)."
        ),
        403: lambda message: (
            f"the token's owner may not do this: {message} Ask for the rights, or give another "
            f"{TOKEN_VARIABLE}."
        ),
        404: lambda message: (
            "this is no Kubeflow Pipelines 2: an older release, or another address, answers "
            f"({message}). The package needs release 2.0 or later."
        ),
    }
    message = _error_message(error)
    if error.status in known:
        return known[error.status](message)
    if error.status and error.status < 500:
        return f"the package or its parameters are refused: {message}"
    return f"Kubeflow Pipelines failed ({error.status}): {message}"


def _error_message(error: ApiException) -> str:
    body = error.body.decode("utf-8", "replace") if isinstance(error.body, bytes) else error.body
    try:
        content = json.loads(body or "")
        text = content.get("message") or content.get("error") or error.reason
    except (ValueError, AttributeError):
        text = error.reason
    return " ".join(str(text).split())[:_LONGEST_ANSWER]
