"""Digests of the images that the manifests name: `python -m requirements.pin_images`."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

from pydantic import Field, TypeAdapter, ValidationError

from pipeline.documents import StrictModel, read_yaml
from pipeline.errors import UserError
from pipeline.version import PROJECT

logger = logging.getLogger(__name__)

IMAGES = PROJECT / "requirements" / "images.yaml"
_MANIFESTS = ("grafana/compose.yaml", "kubeflow/**/*.yaml")
_IMAGE = re.compile(
    r"^(?P<key>\s*(?:- )?image: *)(?P<name>[a-z0-9./_-]+):(?P<tag>[\w.-]+)"
    r"(?:@sha256:[0-9a-f]{64})?",
    re.MULTILINE,
)
_DOCKER_HUB = {"docker.io": "registry-1.docker.io"}
_SECONDS = 30
# An image for several platforms has an index, whose digest serves all of them.
# https://distribution.github.io/distribution/spec/manifest-v2-2/
_KINDS = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)


class Exemption(StrictModel):
    """Why an image stays in use after the end of its line.

    Attributes:
        why: The reason, for the next person who looks.
        until: When it must be looked at again.
    """

    why: Annotated[str, Field(min_length=20)]
    until: date


class PinnedImage(StrictModel):
    """An image of others.

    Attributes:
        tag: Full version tag.
        line: Release line that the tag is of.
        supported_until: Last day on which the line gets security updates.
        source: Where its maintainers say so.
        exception: Why it is used although its line has ended.
    """

    tag: Annotated[str, Field(pattern=r"^v?\d+\.\d+(\.\d+)?(-[a-z0-9]+)?$")]
    line: str
    supported_until: date
    source: Annotated[str, Field(pattern="^https://")]
    exception: Exemption | None = None

    def fault(self, today: date) -> str | None:
        """What is wrong with using the image today, in a sentence; None where nothing is."""
        if today <= self.supported_until:
            return None
        if self.exception is None:
            return f"line {self.line} has no security updates since {self.supported_until}"
        if today > self.exception.until:
            return f"line {self.line} was to be looked at again by {self.exception.until}"
        return None


def load_images(path: Path = IMAGES) -> dict[str, PinnedImage]:
    """The pinned images by name.

    Raises:
        UserError: The file breaks a rule.
    """
    try:
        return TypeAdapter(dict[str, PinnedImage]).validate_python(
            read_yaml(path, "list of images")
        )
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"]))
        raise UserError(f"{path}: {place}: {error.errors()[0]['msg']}.") from error


def manifests(project: Path = PROJECT) -> Iterator[Path]:
    """The files that name images."""
    for pattern in _MANIFESTS:
        yield from sorted(project.glob(pattern))


def named_images(text: str) -> set[tuple[str, str]]:
    """Full name and tag of each image that a manifest names; those of Docker Hub with its name."""
    return {(_full_name(found["name"]), found["tag"]) for found in _IMAGE.finditer(text)}


def with_digests(text: str, digests: dict[tuple[str, str], str]) -> str:
    """A manifest whose images have digests.

    Args:
        text: The manifest.
        digests: `sha256:...` by full name and tag; other images stay as they are.
    """

    def pinned(found: re.Match[str]) -> str:
        digest = digests.get((_full_name(found["name"]), found["tag"]))
        if digest is None:
            return found.group()
        return f"{found['key']}{found['name']}:{found['tag']}@{digest}"

    return _IMAGE.sub(pinned, text)


def digest_of(name: str, tag: str, scheme: str = "https") -> str:
    """Asks a registry for the digest of a tag.

    Args:
        name: Full name, its registry first.
        tag: The tag.
        scheme: `http` for a registry without TLS.

    Returns:
        `sha256:` and 64 hexadecimal digits.

    Raises:
        UserError: The registry does not answer or does not have the tag.
    """
    host, _, repository = name.partition("/")
    address = f"{scheme}://{_DOCKER_HUB.get(host, host)}/v2/{repository}/manifests/{tag}"
    try:
        digest = _head(address, token=None)
    except (HTTPError, URLError) as error:
        reason = f"{error.code}" if isinstance(error, HTTPError) else f"{error.reason}"
        raise UserError(f"{name}:{tag}: the registry gave no digest: {reason}.") from error
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        raise UserError(f"{name}:{tag}: the registry's answer has no SHA-256 digest.")
    return digest


def _head(address: str, token: str | None) -> str:
    headers = {"Accept": _KINDS} | ({"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urlopen(Request(address, headers=headers, method="HEAD"), timeout=_SECONDS) as answer:
            return answer.headers.get("Docker-Content-Digest", "")
    except HTTPError as error:
        challenge = error.headers.get("WWW-Authenticate", "")
        if error.code != 401 or token or not challenge.startswith("Bearer "):
            raise
        return _head(address, _token(challenge))


def _token(challenge: str) -> str:
    """A token for reading without an account, from where the registry's challenge says."""
    fields = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    realm = urlsplit(fields.pop("realm"))._replace(query=urlencode(fields))
    with urlopen(realm.geturl(), timeout=_SECONDS) as answer:
        return str(json.load(answer)["token"])


def _full_name(name: str) -> str:
    """A name with its registry: `postgres` is `docker.io/library/postgres`."""
    first, *rest = name.split("/")
    if rest and ("." in first or ":" in first):
        return name
    return f"docker.io/{name}" if rest else f"docker.io/library/{name}"


def main() -> int:
    """Writes the digests of all pinned images into the manifests."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        digests = {
            (name, image.tag): digest_of(name, image.tag) for name, image in load_images().items()
        }
    except UserError as error:
        logger.error("%s No manifest was changed.", error)
        return 1
    for path in manifests():
        text = path.read_text(encoding="utf-8")
        changed = with_digests(text, digests)
        if changed != text:
            path.write_text(changed, encoding="utf-8")
            logger.info("%s: digests written", path.relative_to(PROJECT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
