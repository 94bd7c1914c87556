"""A client that asks too often hears when to ask again."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from pipeline.service.app import create_app
from pipeline.service.follower import Follower
from pipeline.service.gate import Limits
from pipeline.service.problems import ProblemError
from pipeline.service.rates import Rates
from pipeline.service.tokens import Tokens
from tests.pipeline.service.hand_made import SUBJECT
from tests.pipeline.service.running import problem, running


class Clock:
    """A clock that a test sets."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def request(address: str = "10.0.0.1", token: str = "", path: str = "/predict") -> dict[str, Any]:
    """A request, as ASGI has it."""
    headers = [(b"authorization", f"Bearer {token}".encode())] if token else []
    return {"type": "http", "path": path, "headers": headers, "client": (address, 1)}


def passes(rates: Rates, **of: str) -> bool:
    try:
        rates.take(request(**of))
    except ProblemError:
        return False
    return True


def test_a_client_has_its_requests_of_a_second_at_once_and_then_one_at_a_time() -> None:
    clock = Clock()
    rates = Rates(4, Tokens({}), clock)
    assert [passes(rates) for _ in range(5)] == [True, True, True, True, False]
    clock.now += 0.25
    assert [passes(rates) for _ in range(2)] == [True, False]
    clock.now += 3600
    assert sum(passes(rates) for _ in range(9)) == 4


def test_clients_do_not_share_a_limit() -> None:
    rates = Rates(1, Tokens({}), Clock())
    assert [passes(rates, address=address) for address in ("a", "b", "a")] == [True, True, False]


def test_an_accepted_token_is_a_client_wherever_it_comes_from() -> None:
    accepted = {hashlib.sha256(name).hexdigest(): "predict" for name in (b"one", b"two")}
    rates = Rates(1, Tokens(accepted), Clock())  # type: ignore[arg-type]
    asked = [("a", "one"), ("b", "one"), ("a", "two"), ("a", "guess 1"), ("a", "guess 2")]
    found = [passes(rates, address=address, token=token) for address, token in asked]
    # A token that is not accepted is no way to a limit of its own.
    assert found == [True, False, True, True, False]


def test_liveness_and_readiness_are_never_refused() -> None:
    rates = Rates(1, Tokens({}), Clock())
    assert all(passes(rates, path="/v2/health/live") for _ in range(3))


def test_zero_is_any_number() -> None:
    rates = Rates(0, Tokens({}), Clock())
    assert all(passes(rates) for _ in range(1000))


@pytest.mark.parametrize(("per_second", "wait"), [(1, "1"), (500, "1")])
def test_the_wait_is_in_whole_seconds(per_second: int, wait: str) -> None:
    rates = Rates(per_second, Tokens({}), Clock())
    for _ in range(per_second):
        rates.take(request())
    with pytest.raises(ProblemError) as refused:
        rates.take(request())
    assert refused.value.headers == {"Retry-After": wait}


def test_the_service_answers_429_and_counts_it(follower: Follower) -> None:
    with running(create_app(follower, limits=Limits(most_requests=2))) as client:
        answers = [client.post("/predict", json={"subject": SUBJECT}) for _ in range(10)]
        refused = [answer for answer in answers if answer.status_code != 200]
        assert len(refused) >= 1
        assert problem(refused[0], 429)["type"].endswith(":too-many-requests")
        assert refused[0].headers["retry-after"] == "1"
        assert client.get("/v2/health/ready").status_code == 200
