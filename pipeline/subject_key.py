"""The key that turns subjects' identifiers into pseudonyms."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from pipeline.errors import UserError

KEY_VARIABLE = "TRIAL_SUBJECT_KEY"
KEY_IN_ENVIRONMENT = f"env:{KEY_VARIABLE}"
"""Reference to a key in the environment."""

_SHORTEST = 16
_FEWEST_DIFFERENT = 8
"""Blanks, or one character over and over, are long and can be guessed."""


def ensure_local_key(path: Path) -> str:
    """Creates the key of a local machine once; only its owner can read it.

    Args:
        path: File of the key.

    Returns:
        A reference to it for `load_key`.
    """
    reference = local_key(path)
    if reference != KEY_IN_ENVIRONMENT and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
        # Linking is atomic: of two runs that start together, only one creates the key.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return reference


def local_key(path: Path) -> str:
    """A reference to the key of a local machine, which must be there.

    Args:
        path: File of the key.
    """
    return KEY_IN_ENVIRONMENT if os.environ.get(KEY_VARIABLE) else f"file:{path}"


def load_key(reference: str) -> bytes:
    """Reads a key.

    Args:
        reference: `env:NAME` or `file:PATH`; never the key itself.

    Returns:
        The key.

    Raises:
        UserError: The secret does not exist, is no text, or can be guessed.
    """
    kind, _, place = reference.partition(":")
    if kind == "env":
        text = os.environ.get(place, "")
    elif kind == "file":
        try:
            text = Path(place).read_text().strip()
        except OSError as error:
            raise UserError(f"The subject key {place} can't be read: {error.strerror}.") from error
        except UnicodeDecodeError:
            raise UserError(
                f"The subject key {place} is no text in UTF-8; write a random text of at least "
                f"{_SHORTEST} characters there."
            ) from None
    else:
        raise UserError("A subject key is named as env:NAME or file:PATH.")
    if len(text) < _SHORTEST:
        raise UserError(
            f"The subject key {reference} is missing or shorter than {_SHORTEST} characters; "
            "write a random text of at least that length there."
        )
    written = "".join(text.split())
    if len(written) < _SHORTEST or len(set(written)) < _FEWEST_DIFFERENT:
        raise UserError(
            f"The subject key {reference} can be guessed: without blanks it is shorter than "
            f"{_SHORTEST} characters, or has fewer than {_FEWEST_DIFFERENT} different ones; write "
            "a random text there."
        )
    return text.encode()


def key_id(key: bytes) -> str:
    """Identifies a key without disclosing it: caching depends on it."""
    return hmac.new(key, b"key id", hashlib.sha256).hexdigest()[:12]
