"""What schemathesis makes of the service's OpenAPI description is answered or a problem."""

from __future__ import annotations

import httpx
import pytest

from benchmarks.environments import environment
from benchmarks.malformed import LOCK, Attacked, attack

pytestmark = pytest.mark.slow

REQUESTS = 500
EXAMPLES = 15


@pytest.fixture(scope="module")
def attacked(client: httpx.Client, tmp_path_factory: pytest.TempPathFactory) -> Attacked:
    folder = tmp_path_factory.mktemp("schemathesis")
    program = environment(LOCK, folder / "env") / "schemathesis"
    return attack(program, str(client.base_url).rstrip("/"), REQUESTS, folder, EXAMPLES)


def test_no_malformed_request_is_a_fault_of_the_service(attacked: Attacked) -> None:
    assert attacked.requests >= REQUESTS
    assert (attacked.server_errors, attacked.tracebacks) == (0, 0), attacked.failures


def test_bodies_reach_the_checks_of_columns(attacked: Attacked) -> None:
    """Were all refused before, for path or media type, nothing would be shown of the columns."""
    assert attacked.statuses[422] > 0
    assert attacked.statuses[400] > 0


def test_each_answer_is_what_the_description_says(attacked: Attacked) -> None:
    assert attacked.failures == ""
