"""Images of others: current lines, the same tag everywhere, digests from the registry."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from pipeline.errors import UserError
from requirements.pin_images import (
    PinnedImage,
    digest_of,
    load_images,
    manifests,
    named_images,
    with_digests,
)
from tests.each import each
from tests.http_server import running

OURS = ("docker.io/library/clinical-trial-pipeline", "docker.io/library/trial-service")
DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize("name", load_images())
def test_no_image_is_past_the_end_of_its_line(name: str) -> None:
    fault = load_images()[name].fault(datetime.now(UTC).date())
    assert fault is None, f"{name}: {fault}: take the next line in requirements/images.yaml"


def test_the_manifests_name_the_listed_images_with_their_tags_and_no_others() -> None:
    named = set[tuple[str, str]]()
    for path in each(list(manifests())):
        named |= named_images(path.read_text(encoding="utf-8"))
    assert {image for image in named if image[0] not in OURS} == {
        (name, image.tag) for name, image in load_images().items()
    }


@pytest.mark.parametrize(
    ("today", "fault"),
    [
        (date(2027, 5, 18), None),
        (date(2027, 5, 19), "line 13.2 has no security updates since 2027-05-18"),
    ],
)
def test_a_line_ends_after_its_last_day(today: date, fault: str | None) -> None:
    image = PinnedImage(
        tag="13.2.1", line="13.2", supported_until=date(2027, 5, 18), source="https://example.org"
    )
    assert image.fault(today) == fault


@pytest.mark.parametrize(
    ("today", "fault"),
    [
        (date(2027, 6, 30), None),
        (date(2027, 7, 1), "line 1.19 was to be looked at again by 2027-06-30"),
    ],
)
def test_an_exception_has_an_end(today: date, fault: str | None) -> None:
    image = PinnedImage.model_validate(
        {
            **{"tag": "1.19.3", "line": "1.19", "supported_until": "2025-07-31"},
            "source": "https://example.org",
            "exception": {"why": "No later line works with it.", "until": "2027-06-30"},
        }
    )
    assert image.fault(today) == fault


def test_a_tag_that_is_no_full_version_is_refused() -> None:
    with pytest.raises(ValueError, match="tag"):
        PinnedImage(
            tag="latest", line="1", supported_until=date(2030, 1, 1), source="https://example.org"
        )


def test_a_digest_stands_behind_its_tag_once_and_replaces_an_older_one() -> None:
    text = "    image: postgres:17.10\n    - image: host.org/other:1.0.0  # a comment\n"
    digests = {("docker.io/library/postgres", "17.10"): DIGEST}

    once = with_digests(text, digests)

    assert once == text.replace("postgres:17.10", f"postgres:17.10@{DIGEST}")
    assert with_digests(once, digests) == once
    assert named_images(once) == named_images(text)


class Registry(BaseHTTPRequestHandler):
    """A registry that wants a token, as Docker Hub does, and has one tag."""

    def do_GET(self) -> None:
        """Answers a request for a token."""
        assert self.path == "/token?service=registry&scope=repository%3Alibrary%2Fone%3Apull"
        self._answer(200, body=json.dumps({"token": "a-token"}))

    def do_HEAD(self) -> None:
        """Answers a request for a manifest."""
        if self.headers.get("Authorization") != "Bearer a-token":
            place = f'realm="http://{self.headers["Host"]}/token",service="registry"'
            scope = 'scope="repository:library/one:pull"'
            self._answer(401, **{"WWW-Authenticate": f"Bearer {place},{scope}"})
        elif self.path == "/v2/library/one/manifests/1.0.0":
            assert "vnd.oci.image.index" in self.headers["Accept"]
            self._answer(200, **{"Docker-Content-Digest": DIGEST})
        else:
            self._answer(404)

    def _answer(self, code: int, body: str = "", **headers: str) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def registry() -> Iterator[str]:
    """Host and port of a registry."""
    with running(HTTPServer(("127.0.0.1", 0), Registry)) as address:
        yield address.removeprefix("http://")


def test_the_digest_is_the_registrys(registry: str) -> None:
    assert digest_of(f"{registry}/library/one", "1.0.0", scheme="http") == DIGEST


def test_a_tag_that_the_registry_lacks_is_one_line(registry: str) -> None:
    with pytest.raises(UserError, match=r"one:2\.0\.0: the registry gave no digest: 404\.$"):
        digest_of(f"{registry}/library/one", "2.0.0", scheme="http")


def test_a_registry_that_does_not_answer_is_one_line() -> None:
    with pytest.raises(UserError, match="the registry gave no digest"):
        digest_of("127.0.0.1:1/library/one", "1.0.0", scheme="http")
