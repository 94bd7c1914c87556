"""Requests to an MLflow server.

A current client of MLflow does not resolve beside TFX, so this speaks the REST interface
(`api/2.0/mlflow`) with what Python has. Redirections are not followed: they lead to other hosts.
"""

from __future__ import annotations

import base64
import http.client
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import ValidationError

from pipeline.documents import Document
from pipeline.errors import UserError

ADDRESS_VARIABLE = "TRIAL_MLFLOW"
TOKEN_VARIABLE = "TRIAL_MLFLOW_TOKEN"
USER_VARIABLE = "TRIAL_MLFLOW_USER"
PASSWORD_VARIABLE = "TRIAL_MLFLOW_PASSWORD"

_SECONDS = 10.0
_MOST_BYTES = 16 * 1024 * 1024
_LONGEST_MESSAGE = 200
_HERE = ("localhost", "127.0.0.1", "::1")
_TOKEN = re.compile(r"[\x21-\x7e]+")
_Answer = TypeVar("_Answer", bound=Document)


class MlflowError(UserError):
    """The server can't be reached, or refused a request.

    Attributes:
        code: MLflow's name of the error, such as `RESOURCE_DOES_NOT_EXIST`; empty for others.
    """

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Server:
    """An MLflow server.

    Attributes:
        address: Its address, without a secret: `https://mlflow.example.org`.
        authorization: The header with the token or password; empty for none.
        seconds: How long a request may take.
    """

    address: str
    authorization: str = field(default="", repr=False)
    seconds: float = _SECONDS

    def get(self, expected: type[_Answer], path: str, given: Mapping[str, str]) -> _Answer:
        """Asks for something.

        Args:
            expected: What the answer holds.
            path: Below `api/2.0/mlflow`.
            given: The query.

        Raises:
            MlflowError: The server can't be reached, refuses, or answers something else.
        """
        return self._parsed(expected, self._send("GET", f"{path}?{urllib.parse.urlencode(given)}"))

    def post(self, expected: type[_Answer], path: str, content: Mapping[str, Any]) -> _Answer:
        """Sends something; raises as `get` does."""
        return self._parsed(expected, self._send("POST", path, content))

    def delete(self, path: str, content: Mapping[str, Any]) -> None:
        """Deletes something; raises as `get` does."""
        self._send("DELETE", path, content)

    def _send(self, method: str, path: str, content: Mapping[str, Any] | None = None) -> bytes:
        request = urllib.request.Request(
            f"{self.address}/api/2.0/mlflow/{path}",
            None if content is None else json.dumps(content).encode(),
            {"Content-Type": "application/json"},
            method=method,
        )
        if self.authorization:
            request.add_unredirected_header("Authorization", self.authorization)
        try:
            here = urllib.parse.urlsplit(self.address).hostname in _HERE
            opener = _OPENER_HERE if here else _OPENER
            with opener.open(request, timeout=self.seconds) as answer:
                return bytes(answer.read(_MOST_BYTES))
        except urllib.error.HTTPError as error:
            with error:
                raise self._refused(error) from None
        # A name of a host that can't be one is a UnicodeError.
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            reason = getattr(error, "reason", error)
            slow = isinstance(reason, TimeoutError)
            why = f"no answer within {self.seconds:g} s" if slow else _words(reason)
            raise MlflowError(f"it can't be reached ({why}).") from None

    def _refused(self, error: urllib.error.HTTPError) -> MlflowError:
        if error.code in (401, 403):
            return MlflowError(
                f"it refuses the access ({error.code}): check {TOKEN_VARIABLE}, or {USER_VARIABLE} "
                f"and {PASSWORD_VARIABLE}, and what this account may do there."
            )
        if 300 <= error.code < 400:
            return MlflowError(
                f"it redirects ({error.code}), which is not followed: give the address that it "
                f"redirects to in {ADDRESS_VARIABLE}."
            )
        try:
            said = _Refusal.model_validate_json(error.read(_MOST_BYTES))
        except (ValidationError, OSError, http.client.HTTPException):
            said = _Refusal()
        why = f": {said.error_code}, {_words(said.message)}" if said.error_code else ""
        return MlflowError(f"it answers {error.code}{why}.", said.error_code)

    def _parsed(self, expected: type[_Answer], answer: bytes) -> _Answer:
        try:
            return expected.model_validate_json(answer)
        except ValidationError:
            raise MlflowError(
                f"it answers something else than MLflow does: check the address in "
                f"{ADDRESS_VARIABLE}."
            ) from None


def server_of(environment: Mapping[str, str]) -> Server | None:
    """The server that the environment names; None where it names none.

    Args:
        environment: Variables of the environment.

    Raises:
        UserError: The address or what goes with it is invalid; the message repeats neither.
    """
    given = environment.get(ADDRESS_VARIABLE, "").strip()
    if not given:
        return None
    parts = _parts(given)
    authorization = _authorization(environment)
    if authorization and parts.scheme == "http" and parts.hostname not in _HERE:
        raise UserError(
            f"{ADDRESS_VARIABLE} is an address without TLS: the token or password could be read on "
            "its way. Give an address that begins with https://."
        )
    return Server(given.rstrip("/"), authorization)


class _Refusal(Document):
    error_code: str = ""
    message: str = ""


class _NoRedirection(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Follows nothing."""


_OPENER = urllib.request.build_opener(_NoRedirection)
_OPENER_HERE = urllib.request.build_opener(_NoRedirection, urllib.request.ProxyHandler({}))
"""For this machine: a proxy would be another one."""


def _parts(address: str) -> urllib.parse.SplitResult:
    expected = f"Expected {ADDRESS_VARIABLE} as https://mlflow.example.org, found "
    try:
        parts = urllib.parse.urlsplit(address)
        port = parts.port
    except ValueError:
        raise UserError(f"{expected}an invalid address.") from None
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise UserError(
            f"{expected}an address with a user, a password or parameters, which would be logged. "
            f"Give them as {TOKEN_VARIABLE}, or as {USER_VARIABLE} and {PASSWORD_VARIABLE}."
        )
    is_text = address.isascii() and address.isprintable() and " " not in address
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or not is_text:
        raise UserError(f"{expected}something else than http:// or https:// with a host.")
    return parts


def _authorization(environment: Mapping[str, str]) -> str:
    token = environment.get(TOKEN_VARIABLE, "").strip()
    user, password = environment.get(USER_VARIABLE, ""), environment.get(PASSWORD_VARIABLE, "")
    if token and (user or password):
        raise UserError(f"{TOKEN_VARIABLE} and {USER_VARIABLE} exclude each other: unset one.")
    if bool(user) != bool(password) or ":" in user:
        raise UserError(
            f"{USER_VARIABLE} and {PASSWORD_VARIABLE} go together, and a user has no colon."
        )
    if token and not _TOKEN.fullmatch(token):
        raise UserError(f"{TOKEN_VARIABLE} has characters that no token has.")
    if token:
        return f"Bearer {token}"
    named = base64.b64encode(f"{user}:{password}".encode()).decode()
    return f"Basic {named}" if user else ""


def _words(text: object) -> str:
    """What another program said, in one short line."""
    line = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    return line[:_LONGEST_MESSAGE].rstrip(".")
