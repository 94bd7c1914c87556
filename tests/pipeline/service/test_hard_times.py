"""The service as a process: killed, out of disk, without its registry, and with slow clients."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import httpx
import pytest

from pipeline.predictions.open_log import open_log
from tests.pipeline.service.hand_made import STUDY, SUBJECT, log_odds, register, risk, save
from tests.pipeline.service.processes import Serving, Stores, serving, until

pytestmark = pytest.mark.slow

OLD = risk(log_odds(60, 30, "F", "Active"))
NEW = risk(log_odds(60, 30, "F", "Active", offset=1.0))
_SLOW_CLIENTS = 1_000
_SECONDS_FOR_A_BODY = 20.0
_SECONDS_AWAY = 60.0


@pytest.fixture
def stores(bucket: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stores]:
    # Beside the one that other tests share, with the same content.
    found = Stores(bucket)
    found.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{found.port}")
    yield found
    found.stop()


@pytest.fixture
def registry(tmp_path: Path, saved_model: Path) -> Path:
    register(tmp_path / "registry", saved_model, tmp_path)
    return tmp_path / "registry"


def test_killed_and_started_again_it_answers_as_before(registry: Path) -> None:
    with serving(registry) as first:
        assert first.death() == pytest.approx(OLD, abs=1e-6)
        port = first.client.base_url.port
        first.process.send_signal(signal.SIGKILL)
        first.process.wait(60)
        assert port
    with serving(registry, port=port) as second:
        assert second.death() == pytest.approx(OLD, abs=1e-6)


@pytest.mark.parametrize("ends", [signal.SIGTERM, signal.SIGKILL])
def test_its_last_predictions_are_in_the_log_if_it_is_asked_to_stop(
    registry: Path, tmp_path: Path, ends: signal.Signals
) -> None:
    address = tmp_path / "log"
    with serving(registry, "--prediction-log", str(address)) as service:
        assert service.death() == pytest.approx(OLD, abs=1e-6)
        service.process.send_signal(ends)
        service.process.wait(60)

    rows = [row for table in open_log(str(address)).read(STUDY) for row in table.to_pylist()]
    found = {row["task"]: row["prediction"] for row in rows}
    # Killed, it may have written them just before; never a part.
    if ends == signal.SIGTERM or found:
        assert found["death"] == pytest.approx(OLD, abs=1e-6)


def test_a_request_that_has_begun_is_answered_before_it_stops(registry: Path) -> None:
    body = json.dumps({"subject": SUBJECT}).encode()
    head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    with serving(registry) as service:
        port = service.client.base_url.port
        assert port
        with socket.create_connection(("127.0.0.1", port), timeout=60) as begun:
            begun.sendall(head.encode() + body[:10])
            # Answered after the beginning of the other one was read.
            service.death()
            service.process.send_signal(signal.SIGTERM)
            until(lambda: not _listens(port))
            begun.sendall(body[10:])
            assert begun.recv(1000).startswith(b"HTTP/1.1 200")
        assert service.process.wait(60) in (0, -signal.SIGTERM)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True


def test_with_a_certificate_it_speaks_tls_alone(registry: Path, tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = ["-days", "1", "-nodes", "-out", str(certificate), "-keyout", str(key)]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", *subject, *made],
        check=True,
        capture_output=True,
    )
    options = ["--certificate", str(certificate), "--key", str(key)]
    with serving(registry, *options, trusted=certificate) as service:
        assert service.client.base_url.scheme == "https"
        assert service.death() == pytest.approx(OLD, abs=1e-6)
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"http://127.0.0.1:{service.client.base_url.port}/v2/health/live")


def test_while_its_registry_is_gone_for_a_minute_it_answers_and_says_so(
    registry: Path, stores: Stores, saved_model: Path, other_model: Path, tmp_path: Path
) -> None:
    """A service of a folder and one of an object store, of which both go at once."""
    in_store = f"s3://{stores.bucket}/registry"
    register(in_store, saved_model, tmp_path / "stored")
    with serving(registry) as of_folder, serving(in_store) as of_store:
        services = (of_folder, of_store)
        shutil.move(registry, tmp_path / "away")
        stores.stop()
        for service in services:
            until(partial(_has_no_registry, service))
        ends = time.monotonic() + _SECONDS_AWAY
        while time.monotonic() < ends:
            for service in services:
                assert service.death() == pytest.approx(OLD, abs=1e-6)
                assert not service.ready()["registry_answers"]
            time.sleep(0.2)
        for service in services:
            metrics = service.client.get("/metrics").text
            assert "trial_service_registry_answers 0.0" in metrics
            assert service.client.get("/v2/health/live").status_code == 200

        shutil.move(tmp_path / "away", registry)
        stores.start()
        for place in (registry, in_store):
            register(place, other_model, tmp_path, run="run-2")
        for service in services:
            until(partial(_is_swapped, service))
            assert service.ready()["registry_answers"]


def _has_no_registry(service: Serving) -> bool:
    return not service.ready()["registry_answers"]


def _is_swapped(service: Serving) -> bool:
    return service.death() == pytest.approx(NEW, abs=1e-6)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB."""
    if os.geteuid():
        pytest.skip("only root may mount a file system")
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_champion_that_finds_no_room_on_the_disk_is_refused_until_there_is_some(
    registry: Path, other_model: Path, tmp_path: Path, small_disk: Path
) -> None:
    with serving(registry, temporary=small_disk) as service:
        full = small_disk / "full"
        with pytest.raises(OSError, match="No space left"):
            _fill(full)
        register(registry, other_model, tmp_path, run="run-2")
        until(lambda: service.ready()["newer_model_refused"])
        assert service.death() == pytest.approx(OLD, abs=1e-6)
        assert service.client.get("/v2/health/live").status_code == 200
        # What had been copied until then is gone.
        assert list(small_disk.iterdir()) == [full]

        full.unlink()
        until(partial(_is_swapped, service))
        assert not service.ready()["newer_model_refused"]


def _fill(path: Path) -> None:
    """Writes a file until there is no room for it."""
    with path.open("wb", 0) as file:
        for _ in range(10_000):
            file.write(bytes(4096))


def test_a_champion_that_does_not_load_is_refused_and_the_old_one_stays(
    registry: Path, tmp_path: Path
) -> None:
    broken = save(tmp_path / "broken", offset=1.0)
    (broken / "saved_model.pb").write_bytes(b"no model")
    with serving(registry) as service:
        register(registry, broken, tmp_path, run="run-2")
        until(lambda: service.ready()["newer_model_refused"])
        assert service.death() == pytest.approx(OLD, abs=1e-6)
        assert service.client.get("/v2/health/live").status_code == 200


def test_a_thousand_slow_clients_hold_up_no_other_one(registry: Path) -> None:
    # In a thread: a browser that another test opened keeps a loop in this one.
    with serving(registry) as service, ThreadPoolExecutor(1) as thread:
        asking = thread.submit(asyncio.run, _beside_slow_clients(service))
        statuses, slowest = asking.result()
    # Bodies that do not come in time are refused; heads are waited for.
    assert statuses == {b"408"}
    # No answer waited for one of them.
    assert slowest < _SECONDS_FOR_A_BODY


async def _beside_slow_clients(service: Serving) -> tuple[set[bytes], float]:
    """Statuses of the slow clients, and the longest time of another one's request, in seconds."""
    port = service.client.base_url.port
    head = b"POST /predict HTTP/1.1\r\nHost: slow\r\nContent-Length: 1000\r\n"
    ends = time.monotonic() + _SECONDS_FOR_A_BODY
    statuses = set[bytes]()

    async def slow(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        has_head = number % 2 == 0
        writer.write(head + b"\r\n" if has_head else head)
        while time.monotonic() < ends - 2:
            writer.write(b" " if has_head else b"X: y\r\n")
            await asyncio.sleep(2)
        if has_head:
            answer = await asyncio.wait_for(reader.readline(), 60)
            statuses.add(answer.split()[1])
        writer.close()

    async def other() -> float:
        slowest = 0.0
        while time.monotonic() < ends:
            began = time.monotonic()
            assert await asyncio.to_thread(service.death) == pytest.approx(OLD, abs=1e-6)
            slowest = max(slowest, time.monotonic() - began)
            await asyncio.sleep(0.1)
        return slowest

    *_, slowest = await asyncio.gather(*map(slow, range(_SLOW_CLIENTS)), other())
    assert isinstance(slowest, float)
    return statuses, slowest
