"""Errors as problem details (RFC 9457), the one form in which the service reports them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from pipeline.service.validation import InvalidRowsError

MEDIA_TYPE = "application/problem+json"
_TYPE = "urn:clinical-trial-pipeline:problem:{}"


class ProblemError(Exception):
    """An error that a client is answered with.

    Args:
        status: HTTP status.
        kind: What kind of problem, in one word.
        detail: A sentence for people, without any value of a subject.
        errors: The single problems.
        headers: Headers of the answer.
    """

    def __init__(
        self,
        status: HTTPStatus,
        kind: str,
        detail: str,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(kind)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """The answer. Its member `error` is what clients of TensorFlow Serving and KServe read."""
        content: dict[str, Any] = {
            "type": _TYPE.format(self.kind),
            "title": self.status.phrase,
            "status": int(self.status),
            "detail": self.detail,
            "error": self.detail,
        }
        if self.errors:
            content["errors"] = list(self.errors)
        return Response(
            json.dumps(content), int(self.status), headers=self.headers, media_type=MEDIA_TYPE
        )


def invalid_rows(error: InvalidRowsError) -> ProblemError:
    """The problem that columns of a request can't be predicted from."""
    columns = ", ".join(dict.fromkeys(p.column or p.problem for p in error.problems))
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid-columns",
        f"The model can't predict from these columns: {columns}. See errors.",
        [problem.to_json() for problem in error.problems],
    )


def malformed(detail: str) -> ProblemError:
    """The problem that a request is not of the form that the protocol has."""
    return ProblemError(HTTPStatus.BAD_REQUEST, "malformed-request", detail)


def not_found(detail: str) -> ProblemError:
    """The problem that nothing has the name that was asked for."""
    return ProblemError(HTTPStatus.NOT_FOUND, "not-found", detail)


def no_model(detail: str) -> ProblemError:
    """The problem that no model is served now."""
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "no-model", detail)
