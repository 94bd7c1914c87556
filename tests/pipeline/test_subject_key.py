"""The secret behind the subjects' pseudonyms."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.subject_key import (
    KEY_IN_ENVIRONMENT,
    KEY_VARIABLE,
    ensure_local_key,
    key_id,
    load_key,
)
from tests.whole_runs import SUBJECT_KEY

KEY = "0123456789abcdef"


@pytest.fixture(autouse=True)
def _no_key_around(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)


def test_a_local_key_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "subject"
    first = load_key(ensure_local_key(path))
    assert load_key(ensure_local_key(path)) == first


def test_two_machines_have_different_keys(tmp_path: Path) -> None:
    keys = {load_key(ensure_local_key(tmp_path / name)) for name in ("one", "two")}
    assert len(keys) == 2


def test_only_its_owner_can_read_a_local_key(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "subject"
    ensure_local_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_key_of_the_environment_goes_before_a_local_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    reference = ensure_local_key(tmp_path / "subject")
    assert load_key(reference) == KEY.encode()
    assert not (tmp_path / "subject").exists()


def test_a_reference_does_not_hold_the_key(tmp_path: Path) -> None:
    path = tmp_path / "subject"
    reference = ensure_local_key(path)
    assert reference == f"file:{path}"
    assert load_key(reference).decode() not in reference


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("env:NO_SUCH_KEY_ANYWHERE", "missing or shorter than 16 characters"),
        ("file:/no/such/file", "can't be read: No such file or directory"),
        (KEY, "named as env:NAME or file:PATH"),
    ],
)
def test_a_key_that_can_not_be_read_is_refused(reference: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_key(reference)


@pytest.mark.parametrize(("length", "passes"), [(15, False), (16, True)])
def test_a_short_key_is_refused(tmp_path: Path, length: int, passes: bool) -> None:
    path = tmp_path / "subject"
    path.write_text(KEY[:length] + "\n")
    if passes:
        assert load_key(f"file:{path}") == KEY.encode()
    else:
        with pytest.raises(UserError, match="shorter than 16"):
            load_key(f"file:{path}")


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (" " * 16, "can be guessed"),
        ("short" + " " * 16 + "key 1234", "can be guessed"),
        ("\t \n" * 8 + "0123456789", "can be guessed"),
        ("k" * 64, "can be guessed"),
        ("abcdefg" * 8, "can be guessed"),
        ("abcdefgh" * 8, None),
    ],
)
def test_a_key_that_can_be_guessed_is_refused(
    monkeypatch: pytest.MonkeyPatch, key: str, message: str | None
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, key)
    if message is None:
        assert load_key(KEY_IN_ENVIRONMENT) == key.encode()
    else:
        with pytest.raises(UserError, match=message):
            load_key(KEY_IN_ENVIRONMENT)


def test_the_key_of_the_whole_runs_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, SUBJECT_KEY)
    assert load_key(KEY_IN_ENVIRONMENT) == SUBJECT_KEY.encode()


def test_a_key_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "subject"
    path.write_bytes(bytes(range(128, 160)))
    with pytest.raises(UserError, match="no text in UTF-8"):
        load_key(f"file:{path}")


def test_a_message_about_a_key_does_not_hold_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "too-short")
    with pytest.raises(UserError) as caught:
        load_key(f"env:{KEY_VARIABLE}")
    assert "too-short" not in str(caught.value)


def test_the_id_of_a_key_distinguishes_keys_without_disclosing_them() -> None:
    ids = {key_id(key) for key in (b"a" * 16, b"b" * 16)}
    assert len(ids) == 2
    assert key_id(b"a" * 16) == key_id(b"a" * 16)
    assert all("a" * 4 not in found and len(found) == 12 for found in ids)
