"""TensorFlow Serving's REST interface: model status, metadata and `:predict`.

Source: TensorFlow Serving, RESTful API (docs/api_rest.md). The default signature takes columns
here; serialised examples are not accepted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request

from pipeline.results.contributions import CONTRIBUTIONS_SIGNATURE
from pipeline.results.signatures import of_columns
from pipeline.service.about import about
from pipeline.service.answers import Predicted, groups_of
from pipeline.service.bodies import JsonAnswer, given_by_column, given_by_row, read_json
from pipeline.service.champion import Champion
from pipeline.service.given import GivenColumns
from pipeline.service.problems import malformed, not_found
from pipeline.service.service import Service

_EXPLAINED = of_columns(CONTRIBUTIONS_SIGNATURE)
_INSTANCES = "instances"
_INPUTS = "inputs"
_PATH = "/v1/models/{model}"
_OF_VERSION = _PATH + "/versions/{version}"


def tensorflow_serving_router(service: Service) -> APIRouter:
    """The endpoints below `/v1/models`."""
    router = APIRouter(route_class=service.route_for("predict"), tags=["TensorFlow Serving"])

    @router.get(_OF_VERSION + "/metadata", summary="Metadata of a version")
    @router.get(_PATH + "/metadata", summary="Metadata of the model")
    async def metadata(request: Request) -> JsonAnswer:
        return JsonAnswer(_metadata(service.named(request)))

    @router.get(_OF_VERSION, summary="Status of a version")
    @router.get(_PATH, summary="Status of the model")
    async def status(request: Request) -> JsonAnswer:
        return JsonAnswer(_status(service.named(request)))

    @router.post(_OF_VERSION + ":predict", summary="Predict subjects with a version")
    @router.post(_PATH + ":predict", summary="Predict subjects")
    async def predict(request: Request) -> JsonAnswer:
        champion = service.named(request)
        body = read_json(await request.body())
        explains = _explains(champion, body.get("signature_name", ""))
        by_row = _INSTANCES in body
        rows = _by_row(champion, body) if by_row else _columnar(body)
        found = await service.predict_recorded(champion, rows, explains)
        return JsonAnswer(_answer(found, explains, by_row))

    return router


def _explains(champion: Champion, signature: object) -> bool:
    """Whether a request asks for contributions.

    Raises:
        ProblemError: It names another signature.
    """
    if signature in ("", None, *champion.model.names):
        return False
    if signature == _EXPLAINED and champion.explained:
        return True
    raise not_found(
        f"Expected `signature_name` as one of {', '.join(_signatures(champion))}, which take "
        "columns, or none."
    )


def _by_row(champion: Champion, body: Mapping[str, Any]) -> GivenColumns:
    """Subjects of the row format: a list of objects."""
    # The columns, the pseudonym, and one that is neither.
    return given_by_row(body[_INSTANCES], _INSTANCES, len(champion.inputs.names) + 2)


def _columnar(body: Mapping[str, Any]) -> GivenColumns:
    """Subjects of the column format: lists of equal length by column."""
    columns = body.get(_INPUTS)
    if not isinstance(columns, dict) or not all(isinstance(v, list) for v in columns.values()):
        raise malformed(
            f"Expected `{_INSTANCES}`, a list of objects, or `{_INPUTS}`, an object of lists."
        )
    return given_by_column(
        columns, f"Expected lists of one length in `{_INPUTS}`, one value a subject."
    )


def _answer(found: Predicted, explains: bool, by_row: bool) -> dict[str, Any]:
    if explains:
        outputs = {name: values.tolist() for name, values in (found.contributions or {}).items()}
    else:
        outputs = {name: values[:, None].tolist() for name, values in found.outputs.items()}
    # As TensorFlow Serving: a single output has no name.
    single = next(iter(outputs.values())) if len(outputs) == 1 else None
    content: dict[str, Any] = {
        "model": found.champion.identity(),
        "flags": [list(flags) for flags in found.checked.flags],
        "groups": [groups_of(found.checked, row) for row in range(found.checked.rows)],
        "not_told": [list(unknown) for unknown in found.checked.unknown],
    }
    if found.checked.arms is not None:
        content["assumed_arms"] = list(found.checked.arms)
    if not by_row:
        return {"outputs": outputs if single is None else single, **content}
    named = [
        {name: values[row] for name, values in sorted(outputs.items())}
        for row in range(found.checked.rows)
    ]
    return {"predictions": named if single is None else single, **content}


def _signatures(champion: Champion) -> tuple[str, ...]:
    return (*champion.model.names, *((_EXPLAINED,) if champion.explained else ()))


def _status(champion: Champion) -> dict[str, Any]:
    status = {
        "version": str(champion.version),
        "state": "AVAILABLE",
        "status": {"error_code": "OK", "error_message": ""},
    }
    return {"model_version_status": [status]}


def _metadata(champion: Champion) -> dict[str, Any]:
    inputs = {
        column.argument: _tensor(
            column.argument, "DT_FLOAT" if column.kind == "number" else "DT_STRING"
        )
        for column in champion.inputs.all
    }
    outputs = {name: _tensor(name, "DT_FLOAT", 1) for name in champion.model.outputs}
    explained = {
        task: _tensor(task, "DT_FLOAT", len(champion.explained or ()) + 1)
        for task in champion.tasks
    }
    signatures = {
        name: {
            "inputs": inputs,
            "outputs": explained if name == _EXPLAINED else outputs,
            "method_name": "tensorflow/serving/predict",
        }
        for name in _signatures(champion)
    }
    return {
        "model_spec": {
            "name": champion.study.study,
            "signature_name": "",
            "version": str(champion.version),
        },
        "metadata": {"signature_def": {"signature_def": signatures}, "about": about(champion)},
    }


def _tensor(name: str, dtype: str, *shape: int) -> dict[str, Any]:
    dim = [{"size": str(size), "name": ""} for size in (-1, *shape)]
    return {
        "dtype": dtype,
        "tensor_shape": {"dim": dim, "unknown_rank": False},
        "name": name,
    }
