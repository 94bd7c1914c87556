"""Checks before a run starts whether the chosen Beam runner can execute it."""

from __future__ import annotations

import json
import logging
import socket
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline import storage
from pipeline.beam.choices import Runner
from pipeline.beam.options import CLUSTERS, FLINK_VERSION, BeamSettings, FlinkSlots, beam_options
from pipeline.errors import UserError
from pipeline.patterns import newest_change
from pipeline.subject_key import key_id, load_key

logger = logging.getLogger(__name__)

_ANSWER_SECONDS = 10.0
_PARTS_PER_WORKER = 4
_LONGEST_REASON = 600


@dataclass(frozen=True)
class Needs:
    """Requirements on the workers.

    Attributes:
        read: Folders that they read.
        write: Existing folder that they write below.
        subject_key: Reference to the key of the subject hash.
        code_version: Version of this project that they must have.
    """

    read: tuple[str, ...]
    write: str
    subject_key: str
    code_version: str


def checked_options(settings: BeamSettings, needs: Needs) -> tuple[str, ...]:
    """Checks a choice and returns Beam's options for it.

    On a cluster with worker pools a small job is run: only the workers can report what they
    have access to.

    Args:
        settings: The choice.
        needs: Requirements on the workers.

    Returns:
        The options.

    Raises:
        UserError: The runner can't execute the run; the message states what to fix.
    """
    if settings.runner not in CLUSTERS:
        return beam_options(settings)
    if settings.runner is Runner.DATAFLOW:
        options = beam_options(settings)
        _check_dataflow(options, needs)
        return options
    slots = None
    if settings.runner is Runner.FLINK:
        settings = _with_local_cluster(settings)
        slots = flink_slots(settings)
    options = beam_options(settings, slots)
    if settings.runner is Runner.FLINK:
        _check_job_server(options)
    _check_workers(settings, options, needs, slots.total if slots else settings.workers or 1)
    return options


def _with_local_cluster(settings: BeamSettings) -> BeamSettings:
    """The cluster that `make flink-up` started, unless another one is named."""
    from pipeline.beam.local_flink.session import running_cluster

    if settings.master:
        return settings
    found = running_cluster()
    if found is None:
        raise UserError(
            "The runner flink needs a cluster: start one on this machine with `make flink-up`, or "
            "give host and port of its REST interface (--master, MASTER=)."
        )
    return settings.model_copy(
        update={"master": found["master"], "worker_pool": found["worker_pool"]}
    )


def flink_slots(settings: BeamSettings) -> FlinkSlots:
    """What a Flink cluster offers.

    Raises:
        UserError: It does not answer, has another version or too few slots.
    """
    master = settings.master or ""
    overview = _ask_flink(master, "overview")
    version = str(overview.get("flink-version", ""))
    if not version.startswith(f"{FLINK_VERSION}."):
        raise UserError(
            f"The Flink at {master} has version {version or 'unknown'}; expected {FLINK_VERSION}."
        )
    managers = _ask_flink(master, "taskmanagers")["taskmanagers"]
    slots = [int(manager["slotsNumber"]) for manager in managers]
    wanted = settings.workers or 1
    if sum(slots) < wanted:
        raise UserError(
            f"The Flink at {master} has {sum(slots)} slots, but {wanted} workers were asked for "
            "(--workers): a job would wait for the others until it fails. Add task managers, or "
            "ask for fewer."
        )
    return FlinkSlots(total=sum(slots), most_of_one=max(slots))


def _ask_flink(master: str, question: str) -> dict[str, Any]:
    address = master if "://" in master else f"http://{master}"
    try:
        with urllib.request.urlopen(f"{address}/{question}", timeout=_ANSWER_SECONDS) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise UserError(
            f"No Flink answers at {address} ({reason}). Give host and port of its REST interface "
            "(--master, MASTER=), or start one on this machine with `make flink-up`."
        ) from error


def _check_job_server(arguments: Sequence[str]) -> None:
    """Beam's job server: one that runs already, or the jar that is started for the run."""
    # Beam takes a second to import.
    from apache_beam.options.pipeline_options import PipelineOptions, PortableOptions
    from apache_beam.runners.portability.flink_runner import FlinkJarJobServer

    options = PipelineOptions(list(arguments))
    endpoint = options.view_as(PortableOptions).job_endpoint
    if endpoint:
        _check_endpoint(endpoint)
        return
    server = FlinkJarJobServer(options)
    try:
        server.local_jar(server.path_to_jar())
    except (RuntimeError, ValueError, urllib.error.URLError) as error:
        raise UserError(
            f"Beam's job server for Flink can't be downloaded: {error} It is on Maven Central. "
            "Name a copy with --beam=--flink_job_server_jar=PATH, or a job server that runs "
            "already with --beam=--job_endpoint=HOST:PORT."
        ) from error


def _check_endpoint(endpoint: str) -> None:
    host, _, port = endpoint.rpartition(":")
    try:
        socket.create_connection((host, int(port)), _ANSWER_SECONDS).close()
    except (OSError, ValueError) as error:
        raise UserError(
            f"No Beam job server answers at {endpoint} ({error}): start it, or "
            "correct --job_endpoint."
        ) from error


def _check_dataflow(options: Sequence[str], needs: Needs) -> None:
    """Checks what can be known beforehand: Dataflow takes minutes to start workers."""
    from apache_beam.options.pipeline_options import PipelineOptions

    given = PipelineOptions(list(options)).get_all_options(drop_default=True)
    missing = [
        f"--{name}"
        for name in ("project", "region", "temp_location", "sdk_container_image")
        if not given.get(name)
    ]
    if missing:
        raise UserError(
            f"The runner dataflow needs {', '.join(missing)} (--beam=--project=... and so on). The "
            "image is this project's own, in which its dependencies are installed."
        )
    for folder in (*needs.read, needs.write):
        if not folder.startswith("gs://"):
            raise UserError(
                f"{folder} is on this machine, where Dataflow's workers can't reach it: data and "
                "root must be gs:// addresses."
            )


def _check_workers(
    settings: BeamSettings, options: Sequence[str], needs: Needs, workers: int
) -> None:
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    folder = f"{needs.write.rstrip('/')}/.workers-{uuid.uuid4().hex}"
    own_key = key_id(load_key(needs.subject_key))
    try:
        with beam.Pipeline(options=PipelineOptions(list(options))) as pipeline:
            _ = (
                pipeline
                | "Parts" >> beam.Create(range(workers * _PARTS_PER_WORKER))
                | "Spread" >> beam.Reshuffle()
                | "Look" >> beam.Map(_look, needs=needs, own_key=own_key, folder=folder)
            )
    except Exception as error:
        # Each runner has exceptions of its own.
        logger.warning("the job that checks the workers failed", exc_info=True)
        raise UserError(
            f"The workers of the {settings.runner} cluster can't be used: "
            f"{str(error).strip()[-_LONGEST_REASON:]}\nExpected: a worker pool at "
            f"{settings.worker_pool} beside each task manager (`python -m "
            "pipeline.beam.worker_pool`), this project installed there, and a root folder that "
            "they may write to."
        ) from error
    _report(settings, needs, folder)


def _look(part: int, needs: Needs, own_key: str, folder: str) -> None:
    """Reports a worker's view of data, root and key in a file that this machine reads."""
    content = json.dumps(list(_problems(needs, own_key)))
    storage.write_whole(f"{folder}/{part}.json", content.encode())


def _problems(needs: Needs, own_key: str) -> Iterator[str]:
    from pipeline.version import code_version

    if code_version() != needs.code_version:
        yield f"they have version {code_version()} of this project, not {needs.code_version}"
    for path in needs.read:
        if newest_change(path, ["*"]) is None:
            yield f"they see no files in the data folder {path}"
    try:
        same = key_id(load_key(needs.subject_key)) == own_key
    except UserError:
        yield f"they can't read the subject key ({needs.subject_key})"
    else:
        if not same:
            yield f"their subject key ({needs.subject_key}) differs from this machine's"


def _report(settings: BeamSettings, needs: Needs, folder: str) -> None:
    seen = [storage.read(f"{folder}/{name}") or b"[]" for name in storage.files_below(folder)]
    problems = sorted({problem for content in seen for problem in json.loads(content)})
    if not seen:
        problems = [f"what they write below {needs.write} does not arrive here"]
    storage.remove_folder(folder)
    if problems:
        raise UserError(
            f"The workers of the {settings.runner} cluster can't do this run: "
            f"{'; '.join(problems)}. Data, root and subject key must be where every worker "
            "reaches them: gs:// or s3:// addresses or a shared folder, and TRIAL_SUBJECT_KEY in "
            "the environment of every worker pool."
        )
