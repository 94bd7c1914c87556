"""Bearer tokens: their SHA-256 digests and scopes, from a file."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Literal

from starlette.requests import Request

from pipeline.errors import UserError
from pipeline.service.problems import ProblemError

Scope = Literal["predict", "admin"]
_BEARER = "bearer"
_LINE = re.compile(r"(predict|admin)\s+([0-9a-f]{64})")


@dataclass(frozen=True)
class Tokens:
    """The tokens that a service accepts.

    Attributes:
        scopes: Scope of each token by the SHA-256 of it; without any, all requests are accepted.
    """

    scopes: Mapping[str, Scope]

    def require(self, token: str, scope: Scope) -> None:
        """Lets a request pass.

        Args:
            token: The token that it brought; empty without one.
            scope: What it asks for; `admin` may do all.

        Raises:
            ProblemError: The token is not accepted, or is of another scope.
        """
        if not self.scopes:
            return
        held = self._held(token)
        if not held:
            raise ProblemError(
                HTTPStatus.UNAUTHORIZED,
                "no-token",
                "Expected `Authorization: Bearer <token>` with a token that this service accepts.",
                headers={"WWW-Authenticate": "Bearer"},
            )
        if scope not in held and "admin" not in held:
            raise ProblemError(
                HTTPStatus.FORBIDDEN, "wrong-scope", f"This needs a token of the scope {scope}."
            )

    def holds(self, token: str) -> bool:
        """Whether a token is accepted, for whatever it is."""
        return bool(self._held(token))

    def _held(self, token: str) -> list[Scope]:
        digest = hashlib.sha256(token.encode(errors="replace")).hexdigest()
        # In constant time, whatever the token.
        return [s for known, s in self.scopes.items() if hmac.compare_digest(known, digest)]


def bearer(request: Request) -> str:
    """The token that a request has brought in its header; empty without one."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == _BEARER else ""


def read_tokens(path: Path | None) -> Tokens:
    """Reads the tokens of a service.

    Args:
        path: A file with lines `<scope> <SHA-256 of the token>`; `#` begins a comment. None for a
            service without tokens.

    Raises:
        UserError: A line is something else, or there is none.
    """
    if path is None:
        return Tokens({})
    scopes: dict[str, Scope] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        found = _LINE.fullmatch(text)
        if found is None:
            raise UserError(
                f"{path}, line {number}: expected `predict` or `admin` and the SHA-256 of a token "
                "in hexadecimal."
            )
        scopes[found[2]] = "admin" if found[1] == "admin" else "predict"
    if not scopes:
        raise UserError(f"{path}: there is no token in it, so no request would be accepted.")
    return Tokens(scopes)
