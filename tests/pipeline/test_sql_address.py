"""Addresses of SQL databases hold no secret, and what is wrong with one is one line."""

from __future__ import annotations

import pytest

from pipeline.errors import UserError
from pipeline.sql_address import sql_url
from pipeline.store.engine import ADDRESS_PARAMETERS

SECRET = "planted-secret"


def refusal(address: str) -> str:
    """The message that refuses an address."""
    with pytest.raises(UserError) as caught:
        sql_url(address, "the store", "Use THE_VARIABLE.", ADDRESS_PARAMETERS)
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql://user:{SECRET}@host/trial",
        f"postgres://user:{SECRET}@host/trial",
        "postgresql://user:@host/trial",
        f"postgresql://host/trial?user=user&password={SECRET}",
        f"postgresql://user@host/trial?sslmode=require&sslpassword={SECRET}",
        f"postgresql://user%3A{SECRET}@host/trial",
        f"postgresql://user@host/dbname=trial password={SECRET}",
        f"postgresql://user@host/postgresql://user:{SECRET}@other/trial",
        f"sqlite:///file?password={SECRET}",
    ],
)
def test_a_password_is_refused_in_every_form(address: str) -> None:
    assert "contains a password" in refusal(address)
    assert "THE_VARIABLE" in refusal(address)


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql://user@host/trial?options=-csecret%3D{SECRET}",
        f"postgresql://user@host/trial?service={SECRET}",
        f"postgresql://user@host/trial?{SECRET}",
        f"postgresql://user@host/trial?{SECRET}=1",
        f"sqlite:///file?key={SECRET}",
    ],
)
def test_a_parameter_that_may_hold_a_secret_is_refused_without_its_name(address: str) -> None:
    message = refusal(address)
    assert (
        "contains a password" in message
        or "not among those accepted" in message
        or ("invalid" in message)
    )


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://user@host:seven/trial",
        "postgresql://user@host:5432:5/trial",
        "postgresql://user@host:0/trial",
        "postgresql://user@host:65536/trial",
        "postgresql://user@[::1/trial",
        "nonsense",
        "mysql://host/trial",
        "",
    ],
)
def test_an_address_that_can_not_be_used_is_refused_in_one_line(address: str) -> None:
    assert "store" in refusal(address)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://user@host:5432/trial",
        "postgresql://user@/trial?host=/var/run/postgresql&port=5433",
        "postgresql+psycopg://user@host/trial?sslmode=verify-full&sslrootcert=/certificates/ca.pem",
        "sqlite:////folder/store.db",
        "sqlite:///file:store.db?mode=ro&uri=true",
    ],
)
def test_where_a_database_is_and_how_to_reach_it_is_accepted(address: str) -> None:
    url = sql_url(address, "the store", "Use THE_VARIABLE.", ADDRESS_PARAMETERS)
    assert url.password is None
    for name in url.query:  # may be empty
        assert f"{name}=" in address
