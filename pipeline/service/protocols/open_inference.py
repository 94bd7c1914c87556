"""The Open Inference Protocol, version 2, over REST: health, metadata and `infer`.

Source: KServe, Open Inference Protocol (open-inference-protocol/specification), REST. Tensors are
JSON; its binary extension is not offered.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from numpy.typing import NDArray
from starlette.requests import Request

from pipeline.names import slice_key
from pipeline.service.about import about
from pipeline.service.answers import Predicted
from pipeline.service.bodies import JsonAnswer, flag_of, given_by_column, read_json
from pipeline.service.champion import Champion
from pipeline.service.given import GivenColumns
from pipeline.service.problems import malformed, no_model, not_found
from pipeline.service.service import Service
from pipeline.service.values import is_unicode
from pipeline.version import code_version

_NUMBERS = (
    *("FP64", "FP32", "FP16", "INT64", "INT32", "INT16", "INT8"),
    *("UINT64", "UINT32", "UINT16", "UINT8"),
)
_FLAGS = "flags"
_NOT_TOLD = "not_told"
_CONTRIBUTIONS = "contributions"
_PATH = "/v2/models/{model}"
_OF_VERSION = _PATH + "/versions/{version}"


def health_router(service: Service) -> APIRouter:
    """Liveness and readiness, which need no token."""
    router = APIRouter(tags=["health"])

    @router.get("/v2/health/live", summary="Whether the process works")
    async def live(request: Request) -> JsonAnswer:
        if request.app.state.watch.done():
            raise no_model("The registry is not followed any more: restart the service.")
        return JsonAnswer({"live": True})

    @router.get("/v2/health/ready", summary="Whether requests are answered")
    async def ready() -> JsonAnswer:
        identity = service.champion.identity()
        served = service.follower.served
        content = {
            "ready": True,
            "model": identity,
            "registry_answers": served.registry_answers,
            "newer_model_refused": bool(served.refused),
        }
        if service.recorder:
            content["prediction_log_answers"] = service.recorder.answers
        return JsonAnswer(content)

    return router


def open_inference_router(service: Service) -> APIRouter:
    """The endpoints of the server and below `/v2/models`."""
    router = APIRouter(route_class=service.route_for("predict"), tags=["Open Inference Protocol"])

    @router.get("/v2", summary="Metadata of the server")
    async def server(_: Request) -> JsonAnswer:
        return JsonAnswer(
            {"name": "clinical-trial-pipeline", "version": code_version(), "extensions": []}
        )

    @router.get(_OF_VERSION + "/ready", summary="Whether a version answers")
    @router.get(_PATH + "/ready", summary="Whether the model answers")
    async def model_ready(request: Request) -> JsonAnswer:
        champion = service.named(request)
        return JsonAnswer({"name": champion.study.study, "ready": True})

    @router.get(_OF_VERSION, summary="Metadata of a version")
    @router.get(_PATH, summary="Metadata of the model")
    async def metadata(request: Request) -> JsonAnswer:
        return JsonAnswer(_metadata(service.named(request)))

    @router.post(_OF_VERSION + "/infer", summary="Predict subjects with a version")
    @router.post(_PATH + "/infer", summary="Predict subjects")
    async def infer(request: Request) -> JsonAnswer:
        champion = service.named(request)
        body = read_json(await request.body())
        identifier = body.get("id", "")
        if not isinstance(identifier, str) or not is_unicode(identifier):
            raise malformed("Expected a text as `id`.")
        parameters = body.get("parameters", {})
        if not isinstance(parameters, dict):
            raise malformed("Expected an object as `parameters`.")
        explains = flag_of(parameters, _CONTRIBUTIONS)
        wanted = _wanted(body.get("outputs"))
        found = await service.predict_recorded(
            champion, _rows(champion, body.get("inputs")), explains
        )
        return JsonAnswer(_answer(found, wanted, identifier))

    return router


def _metadata(champion: Champion) -> dict[str, Any]:
    inputs = [
        {
            "name": column.argument,
            "datatype": "FP32" if column.kind == "number" else "BYTES",
            "shape": [-1],
        }
        for column in champion.inputs.all
    ]
    outputs = [{"name": name, "datatype": "FP32", "shape": [-1]} for name in champion.model.outputs]
    texts = (_FLAGS, _NOT_TOLD, *map(slice_key, champion.study.slicing.by))
    outputs += [{"name": name, "datatype": "BYTES", "shape": [-1]} for name in texts]
    return {
        "name": champion.study.study,
        "versions": [str(champion.version)],
        "platform": "tensorflow_savedmodel",
        "inputs": inputs,
        "outputs": outputs,
        "parameters": {"about": about(champion)},
    }


def _rows(champion: Champion, inputs: object) -> GivenColumns:
    """Subjects of the tensors of a request.

    Raises:
        ProblemError: A tensor is not of the form that the protocol has.
    """
    if not isinstance(inputs, list) or not inputs:
        raise malformed("Expected `inputs` as a list of tensors, one a column.")
    columns = dict[str, list[object]]()
    for tensor in inputs:
        name, data = _tensor(champion, tensor)
        if name in columns:
            raise malformed("Two tensors of `inputs` have one name.")
        columns[name] = data
    return given_by_column(
        columns, "Expected tensors with one number of subjects, one subject or more."
    )


def _tensor(champion: Champion, tensor: object) -> tuple[str, list[object]]:
    if not isinstance(tensor, dict):
        raise malformed("Expected each tensor of `inputs` as an object.")
    name, data, shape = tensor.get("name"), tensor.get("data"), tensor.get("shape")
    if not isinstance(name, str) or not isinstance(data, list) or not isinstance(shape, list):
        raise malformed("Expected `name`, `shape`, `datatype` and `data` of each tensor.")
    column = champion.inputs.names.get(name)
    if column and tensor.get("datatype") not in (
        _NUMBERS if column.kind == "number" else ("BYTES",)
    ):
        expected = "a number, such as FP32" if column.kind == "number" else "BYTES"
        raise malformed(f"Column {column.name}: expected `datatype` as that of {expected}.")
    if shape == [len(data), 1]:
        data = [v[0] if isinstance(v, list) and len(v) == 1 else v for v in data]
    elif shape != [len(data)]:
        raise malformed("Expected the shape [subjects] or [subjects, 1] of each tensor.")
    return name, data


def _wanted(outputs: object) -> tuple[str, ...] | None:
    """Names of the outputs that a request asks for; None for all."""
    if outputs is None:
        return None
    if not isinstance(outputs, list) or not all(
        isinstance(found, dict) and isinstance(found.get("name"), str) for found in outputs
    ):
        raise malformed("Expected `outputs` as a list of objects with a name.")
    return tuple(found["name"] for found in outputs)


def _answer(found: Predicted, wanted: tuple[str, ...] | None, identifier: str) -> dict[str, Any]:
    champion = found.champion
    tensors = {name: _numbers(name, values) for name, values in sorted(found.outputs.items())}
    for task, values in (found.contributions or {}).items():
        name = f"{task}/{_CONTRIBUTIONS}"
        tensors[name] = _numbers(name, values)
    checked = found.checked
    for name, texts in (
        (_FLAGS, [";".join(flags) for flags in checked.flags]),
        (_NOT_TOLD, [";".join(unknown) for unknown in checked.unknown]),
        *((slice_key(name), values.tolist()) for name, values in checked.slices.items()),
    ):
        tensors[name] = {
            "name": name,
            "datatype": "BYTES",
            "shape": [checked.rows],
            "data": texts,
        }
    if wanted is not None and not set(wanted) <= set(tensors):
        raise not_found(f"Expected `outputs` among {', '.join(tensors)}.")
    identity = champion.identity()
    return {
        "model_name": identity["study"],
        "model_version": identity["version"],
        **({"id": identifier} if identifier else {}),
        "parameters": {"model_id": identity["id"], "digest": identity["digest"]},
        "outputs": [tensors[name] for name in (tensors if wanted is None else wanted)],
    }


def _numbers(name: str, values: NDArray[Any]) -> dict[str, Any]:
    return {
        "name": name,
        "datatype": "FP32",
        "shape": list(values.shape),
        "data": values.ravel().tolist(),
    }
