"""The register of outputs has the routes of the service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from starlette.routing import BaseRoute

from pipeline.outputs.output import Within
from pipeline.outputs.register import outputs_within
from pipeline.service.app import create_app
from pipeline.service.follower import Follower


def served(routes: Iterable[BaseRoute]) -> Iterator[str]:
    """Method and path of all routes, also of those that FastAPI keeps in routers of their own."""
    for route in routes:
        included = getattr(route, "effective_route_contexts", None)
        found_here: Iterable[Any] = included() if included else (route,)
        for found in found_here:
            yield from (f"{method} {found.path}" for method in found.methods)


def test_routes_are_those_of_the_register(follower: Follower) -> None:
    routes = set(served(create_app(follower).routes))

    assert len(routes) > 15
    assert routes == {place for output in outputs_within(Within.SERVICE) for place in output.places}
